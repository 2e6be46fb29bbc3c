# Process 1 of a process namespace, with a mount namespace: when it ends, for whatever reason, the kernel ends
# every process of the machine and drops every mount.
#
# $1 the root file system, $2 an empty folder for the machine's disk, $3 the folder that is shown as /mnt, $4 `boot` or
# `idle`, then control groups.
set -eu
umask 022
root="$1" ours="$2" share="$3" start="$4"
shift 4
for group; do
    echo 0 > "$group/cgroup.procs"
done
# by working directory from here on: names may have commas and colons, and lie below what is mounted over
cd "$ours"
mkdir lower upper work disk share
mount --bind "$root" lower
mount --bind "$share" share
mount -t tmpfs -o mode=0755 machine /run
mkdir /run/machine
mount --rbind . /run/machine
cd /run/machine

layers=lowerdir=lower,upperdir=upper,workdir=work
overlay() {
    mount -t overlay -o "$1" overlay disk 2> /dev/null
}
if overlay "$layers,volatile" || overlay "$layers" || overlay "$layers,userxattr"; then
    echo "disk: an overlay on disk"
else
    # where the folder itself lies on an overlay, as in a container
    mkdir memory
    mount -t tmpfs -o mode=0755 memory memory
    mkdir memory/upper memory/work
    if overlay "lowerdir=lower,upperdir=memory/upper,workdir=memory/work"; then
        echo "disk: an overlay in memory"
    else
        umount memory
        cp -a --reflink=auto lower/. disk/
        mount --bind disk disk
        echo "disk: a copy"
    fi
fi

# private as well: what nspawn leaves there when it is killed
mount -t tmpfs -o mode=1777 tmp /tmp
# nspawn takes the capabilities of the host away, and mounts /proc/sys read-only
machine() {
    systemd-nspawn --quiet --directory="$PWD/disk" --private-network \
        --register=no --keep-unit --link-journal=no --resolv-conf=off --timezone=off \
        --console=pipe --machine=machine --bind-ro="$PWD/share:/mnt" "$@" < /dev/null
}
while [ "$start" = boot ]; do
    code=0
    machine --boot || code=$?
    # a reboot
    [ "$code" = 133 ] || exit "$code"
done
# it reaps what others leave
machine /bin/sh -c 'echo "machine: up"; while sleep 1000 & wait "$!"; do :; done'
