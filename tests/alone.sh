#!/bin/sh
# Runs a command as if on a machine of its own: no process, network, cloud or state of this one is seen or touched,
# and nothing of what the command starts or leaves in /run, /etc/cumulet, /var/lib/cumulet … outlives it.
# usage: alone.sh COMMAND …     as root
set -eu
EMPTY="etc/cumulet etc/openvswitch var/lib/cumulet var/lib/libvirt var/lib/openvswitch var/cache/libvirt
    var/log/cumulet var/log/libvirt var/log/openvswitch"
if [ "${1-}" != --inside ]; then
    state=$(mktemp -d /var/tmp/cumulet-alone.XXXXXX)
    chmod 755 "$state"
    trap 'rm -rf "$state"' EXIT
    kept=/var/tmp/cumulet-alone-logs
    trap 'exit 130' INT TERM
    unshare --mount --net --uts --pid --ipc --fork --kill-child --mount-proc \
        tini -s -- "$0" --inside "$state" "$@" && status=0 || status=$?
    # a worker of pytest ends well whatever became of its tests: it leaves word (tests/conftest.py)
    [ $status = 0 ] && [ ! -e "$state/var/log/cumulet/tests-failed" ] && exit
    mkdir -p $kept
    find $kept -mindepth 1 -maxdepth 1 -mmin +720 -exec rm -rf {} +
    cp -a "$state/var/log/cumulet" "$kept/${state##*.}" && echo "logs of its cloud: $kept/${state##*.}" >&2
    exit $status
fi
state=$2
shift 2
mount --make-rprivate /
mount -t sysfs sysfs /sys
for name in etc/libvirt $EMPTY; do
    mkdir -p "$state/$name" "/$name"
done
cp -a /etc/libvirt/. "$state/etc/libvirt/"
rm -rf "$state"/etc/libvirt/qemu/*.xml "$state/etc/libvirt/qemu/networks/autostart"
for name in $EMPTY; do # directories have owners that daemons rely on
    case $name in */cumulet) continue ;; esac
    (cd "/$name" && find . -type d -print0 | tar -c --null --no-recursion -T -) | tar -x -C "$state/$name"
done
for name in etc/libvirt $EMPTY; do
    mount --bind "$state/$name" "/$name"
done
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/netns
ip link set lo up
exec "$@"
