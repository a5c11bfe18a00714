#!/bin/bash
# Pid 1 of a pretended host: its own mounts, sysfs, network, ovsdb-server and ovs-vswitchd (userspace).
# usage: host_init.sh DIRECTORY NAME [ADDRESS/LENGTH]   with an address: waits for eth0 and puts it on br-phy
set -eu
directory=$1 name=$2 address=${3:-}
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mount -t sysfs sysfs /sys
mkdir -p /run/openvswitch /run/netns /run/lock
hostname "$name"
sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.default.arp_ignore=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
ovsdb-tool create "$directory/conf.db" /usr/share/openvswitch/vswitch.ovsschema
ovsdb-server "$directory/conf.db" --remote=punix:/run/openvswitch/db.sock --pidfile --detach \
  --log-file="$directory/ovsdb.log" --no-chdir 2>/dev/null
ovs-vsctl --no-wait init
ovs-vswitchd unix:/run/openvswitch/db.sock --pidfile --detach --log-file="$directory/vswitchd.log" --no-chdir 2>/dev/null
if [ -n "$address" ]; then
  touch "$directory/waits"
  until [ -e /sys/class/net/eth0 ]; do sleep 0.02; done
  ethtool -K eth0 tx off >/dev/null
  ovs-vsctl add-br br-phy -- set bridge br-phy datapath_type=netdev -- add-port br-phy eth0
  ip addr add "$address" dev br-phy
  ip link set eth0 up
  ip link set br-phy up
fi
touch "$directory/ready"
trap 'exit 0' TERM
while :; do sleep 1000 & wait $!; done
