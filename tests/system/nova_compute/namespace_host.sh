#!/bin/bash
# A host of its own in namespaces: libvirtd, Open vSwitch (userspace datapath) and tgtd, apart from the machine's.
# usage: namespace_host.sh DIRECTORY      runs until killed; DIRECTORY/ready appears when all is up
set -eu
if [ "${2:-}" != inside ]; then
  exec unshare --mount --net --uts --pid --ipc --fork --kill-child --mount-proc "$0" "$1" inside
fi
d=$1
hostname computehost
for s in var/lib/libvirt var/log var/cache/libvirt etc/libvirt etc/openvswitch var/lib/openvswitch etc/tgt etc/iscsi; do
  mkdir -p "$d/fs/$s" "/$s"
done
cp -a /etc/libvirt/. "$d/fs/etc/libvirt/"
rm -rf "$d"/fs/etc/libvirt/qemu/{networks,*.xml} "$d/fs/etc/libvirt/storage"
for s in var/lib/libvirt var/log var/cache/libvirt etc/libvirt etc/openvswitch var/lib/openvswitch etc/tgt etc/iscsi; do
  mount --bind "$d/fs/$s" "/$s"
done
mount -t tmpfs tmpfs /run
mkdir -p /var/log/openvswitch /run/openvswitch /run/lock /run/tgtd /run/libvirt
mount -t sysfs sysfs /sys
cat >/etc/libvirt/libvirtd.conf <<E
host_uuid = "66000000-0000-4000-8000-000000000099"
auth_unix_rw = "none"
unix_sock_group = "root"
log_outputs = "2:file:/var/log/libvirtd.log"
E
cat >/etc/libvirt/qemu.conf <<E
user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = [ ]
namespaces = [ ]
stdio_handler = "file"
dynamic_ownership = 1
E
ip link set lo up
ovsdb-tool create /etc/openvswitch/conf.db /usr/share/openvswitch/vswitch.ovsschema
ovsdb-server /etc/openvswitch/conf.db --remote=punix:/run/openvswitch/db.sock --pidfile --detach --log-file --no-chdir
ovs-vsctl --no-wait init
ovs-vswitchd unix:/run/openvswitch/db.sock --pidfile --detach --log-file --no-chdir
ovs-vsctl add-br br-int -- set bridge br-int datapath_type=netdev fail_mode=secure
tgtd
libvirtd --daemon --pid-file /run/libvirtd.pid
until [ -S /run/libvirt/libvirt-sock ]; do sleep 0.05; done
echo $$ >"$d/inside"
touch "$d/ready"
while :; do sleep 1000 & wait $!; done
