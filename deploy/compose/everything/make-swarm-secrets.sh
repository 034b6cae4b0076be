#!/bin/sh
# Hand what is in .env to Docker Swarm, as the secrets that stack.yaml names.
set -eu
. ./.env
create() {
    printf %s "$2" | docker secret create "ngshare-$1" - >/dev/null
}
create api-token "$NGSHARE_API_TOKEN"
create cache-url "redis://:$REDIS_PASSWORD@redis:6379/0"
create database-url "postgres://ngshare:$POSTGRES_PASSWORD@postgres/ngshare"
create hub-admin-password "$HUB_ADMIN_PASSWORD"
create hub-password "$HUB_PASSWORD"
create postgres-password "$POSTGRES_PASSWORD"
create redis-password "$REDIS_PASSWORD"
create s3-secret-key "$S3_SECRET_KEY"
create secret-key "$NGSHARE_SECRET_KEY"
