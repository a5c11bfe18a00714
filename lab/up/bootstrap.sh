#!/bin/sh
# Installs the Debian packages that are missing, then hands over to Python: bootstrap.sh up|down|prepare …
set -eu
here=$(dirname "$(readlink -f "$0")")
log=/var/log/cumulet/up-packages.log
policy=/usr/sbin/policy-rc.d

# The embedded profile does without the packages of the full one, unless it is moved from there.
lists() {
    echo "$here/packages.txt"
    case "$arguments" in
    prepare* | up*full*) echo "$here/packages-full.txt" ;;
    *) grep -qs '"profile": "full"' /var/lib/cumulet/up.json && echo "$here/packages-full.txt" ;;
    esac
}

wanted() { lists | xargs grep -hv '^#'; }

missing() {
    installed=$(wanted | xargs dpkg-query -W -f '${Package} ${db:Status-Status}\n' 2>/dev/null | sed -n 's/ installed$//p')
    for package in $(wanted); do
        printf '%s\n' "$installed" | grep -qx "$package" || printf '%s ' "$package"
    done
}

# The cloud runs its own daemons, so none is to start because its package arrived: hence the policy while apt works.
# Called in a subshell: the traps are this function's own. What an interrupted run left half-installed comes first.
apt_install() {
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        trap 'rm -f "$policy"' EXIT
        trap 'exit 130' INT TERM
    fi
    export DEBIAN_FRONTEND=noninteractive
    dpkg --configure -a && apt-get update &&
        apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=600 "$@"
}

if [ "$(id -u)" != 0 ]; then
    echo "error: this makes bridges, namespaces and virtual machines: run it as root." >&2
    exit 1
fi
CUMULET_UP_STARTED=$(date +%s.%N)
export CUMULET_UP_STARTED
packages= arguments=$*
[ "$1" = down ] || packages=$(missing)
if [ -n "$packages" ]; then
    mkdir -p "$(dirname "$log")"
    echo "installing $(echo $packages | wc -w) packages from Debian (log: $log)"
    # shellcheck disable=SC2086  # a list of names
    if ! (apt_install $packages) >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "error: Debian's packages were not installed; the end of $log is above." >&2
        echo "what to do: see to what apt says (network, /etc/apt/sources.list*, room on the disk), then run it again." >&2
        exit 1
    fi
fi
# The guest image is built of Debian packages: apt must know where they are, which images of containers forget.
if { [ "$1" = up ] || [ "$1" = prepare ]; } && ! ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1; then
    mkdir -p "$(dirname "$log")"
    apt-get update >"$log" 2>&1 || tail -n 5 "$log" >&2
fi
if [ ! -x /usr/bin/python3 ]; then
    echo "nothing of Cumulet is here: there is no /usr/bin/python3"
    exit 0
fi
cd "$here/../.."
exec /usr/bin/python3 -m lab.up "$@"
