"""API v1: the protocol of ngshare 0.6, frozen, as docs/api-v1.md describes it, over the same services as API v2."""
