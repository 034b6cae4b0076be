#!/bin/sh
# Write a random value for each secret that compose.yaml in this folder asks for into .env:
#
#     sh ../make-secrets.sh
#
# Keep the file: the databases are made with what is in it, and receipts are signed with keys from it.
set -eu
umask 077
if [ -e .env ]; then
    echo "There is an .env already. It is left as it is." >&2
    exit 1
fi
grep -o '\${[A-Z0-9_]*:?' compose.yaml | tr -d '${:?' | sort -u | while read -r name; do
    echo "$name=$(openssl rand -hex 32)"
done > .env
