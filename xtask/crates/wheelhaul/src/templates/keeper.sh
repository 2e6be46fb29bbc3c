# Process 1 of a process namespace, with a mount namespace: when it ends, for whatever reason, the kernel ends
# every process of the machine and drops every mount.
#
# $1 the root file system, $2 an empty folder for the machine's disk, $3 the folder that is shown as /mnt, $4 `boot` or
# `chroot`, then control groups.
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

if [ "$start" = boot ]; then
    # private as well: what nspawn leaves there when it is killed
    mount -t tmpfs -o mode=1777 tmp /tmp
    while :; do
        code=0
        systemd-nspawn --quiet --directory="$PWD/disk" --private-network \
            --register=no --keep-unit --link-journal=no --resolv-conf=off --timezone=off \
            --console=pipe --machine=machine --bind-ro="$PWD/share:/mnt" --boot < /dev/null || code=$?
        # a reboot
        [ "$code" = 133 ] || exit "$code"
    done
fi

cd disk
mkdir -p proc sys dev run tmp mnt
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys 2> /dev/null || :
mount -t tmpfs -o mode=0755 dev dev
mkdir dev/pts dev/shm
for node in null zero full random urandom tty; do
    : > "dev/$node"
    mount --bind "/dev/$node" "dev/$node"
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts dev/pts 2> /dev/null || :
mount -t tmpfs -o mode=1777 shm dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mount -t tmpfs -o mode=0755 run run
mount -t tmpfs -o mode=1777 tmp tmp
mount --bind ../share mnt
mount -o remount,bind,ro mnt
hostname machine 2> /dev/null || :
ip link set lo up
# it reaps what others leave
exec chroot . /bin/sh -c '
    PATH=/usr/sbin:/usr/bin:/sbin:/bin
    export PATH
    echo "machine: up"
    while sleep 1000 & wait "$!"; do :; done
'
