"""Speaking to the ngshare service: its address, the token, requests and repeats, manifests, bundles, file names."""
