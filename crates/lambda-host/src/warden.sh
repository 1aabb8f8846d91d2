# Ends what a host started, when the host is gone. It reads one line per process group: "+ 12" when
# it starts, "- 12" before its number is given back. The end of the input is the end of the host,
# however that came: a clean close, a drop, a crash, kill -9.
trap '' INT TERM HUP
groups=
while read -r verb group; do
    case $verb in
    +) groups="$groups $group" ;;
    -)
        left=
        for g in $groups; do [ "$g" = "$group" ] || left="$left $g"; done
        groups=$left
        ;;
    esac
done
for g in $groups; do kill -9 "-$g" 2>/dev/null; done
# What left its group (a daemon) or started too late to be named still has the host's mark in its
# environment. Only Linux shows that.
round=0
while [ -d /proc/self ] && [ "$round" -lt 50 ]; do
    found=
    for f in $(grep -lsF "LAMBDA_HOST_ID=$1" /proc/[0-9]*/environ 2>/dev/null); do
        pid=${f#/proc/}
        kill -9 "${pid%/environ}" 2>/dev/null && found=1
    done
    [ -n "$found" ] || break
    round=$((round + 1))
done
