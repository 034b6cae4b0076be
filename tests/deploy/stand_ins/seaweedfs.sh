#!/bin/sh
# Becomes its own user, to whom it gives the volume, as the image of SeaweedFS does.
set -eu
if [ "$(id -u)" = 0 ]; then
    chown -R seaweed:seaweed /data
    exec setpriv --reuid=seaweed --regid=seaweed --clear-groups "$0" "$@"
fi
command="$1"
shift
exec weed -logtostderr=true "$command" -dir=/data -volume.max=0 -master.volumePreallocate -master.volumeSizeLimitMB=1024 "$@"
