# Removes what a machine leaves, when whoever started it is gone: $1 its folder, then control groups. Its standard output
# is the file that holds the folder, so nobody else removes that as long as this runs.
#
# Its standard input ends with that process, even where that one is killed; and so do the machine's processes.
trap '' HUP INT TERM
while read -r _; do :; done
folder="$1"
shift
if [ -s "$folder/container" ]; then
    { read -r program && read -r container; } < "$folder/container"
    "$program" rm --force "$container" > /dev/null 2>&1
fi
for group; do
    tries=0
    # a group goes when its last process is reaped
    while [ -d "$group" ] && [ "$tries" -lt 100 ]; do
        find "$group" -depth -type d -exec rmdir {} + 2> /dev/null || sleep 0.05
        tries=$((tries + 1))
    done
done
rm -rf --one-file-system -- "$folder" || { sleep 1; rm -rf --one-file-system -- "$folder"; }
rm -f -- "$folder.lock"
