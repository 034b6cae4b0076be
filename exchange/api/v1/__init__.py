"""The wire protocol of ngshare 0.6, frozen: what docs/api-v1.md describes, over the same verbs as the native API."""
