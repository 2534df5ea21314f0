#!/usr/bin/env bash
# Makes a backup, and deletes those of ours that are older than 30 days. For cron:
#
#   0 2 * * * /path/to/deploy/backup.sh --compose /path/to/audittrail /path/to/backups
#   0 2 * * * /path/to/deploy/backup.sh /path/to/backups            without containers: audittrail is on the PATH
#
# KEEP_DAYS=30 is how long they are kept. Prints where the new backup is; on failure says why and exits with 1, and
# deletes nothing. Needs bash and GNU coreutils.
set -euo pipefail
umask 077

keep_days=${KEEP_DAYS:-30}
project=
partial=
inside=

fail() {
    echo "backup.sh: $*" >&2
    exit 1
}

compose() {
    # exec reads standard input even when there is nothing to read, and would take cron's.
    docker compose --project-directory "$project" "$@" </dev/null
}

clean() {
    if [[ -n $partial ]]; then rm -rf -- "$partial"; fi
    if [[ -n $inside ]]; then compose exec -T app sh -c 'rm -rf -- "$1"; rmdir -- "${1%/*}"' sh "$inside" || true; fi
}
trap clean EXIT

if [[ ${1:-} == --compose ]]; then
    [[ -n ${2:-} && -d $2 ]] || fail "--compose takes the folder in which compose.yaml is"
    project=$2
    shift 2
fi
[[ $# -eq 1 && -n $1 ]] || fail "usage: backup.sh [--compose FOLDER] DIR"
[[ $keep_days =~ ^[1-9][0-9]{0,4}$ ]] || fail "KEEP_DAYS is '$keep_days'; write a number of days from 1 on"
dir=$1
mkdir -p -- "$dir" || fail "$dir cannot be made"
pattern='^audittrail-[0-9]{8}T[0-9]{6}Z$'

if [[ -z $project ]]; then
    command -v audittrail >/dev/null || fail "audittrail is not on the PATH; with containers, say --compose FOLDER"
    made=$(audittrail backup --to "$dir") || fail "audittrail backup failed, see above"
    name=$(basename -- "$made")
    [[ $name =~ $pattern ]] || fail "audittrail backup printed '$made', which is no backup"
else
    # The volume is the only place in the container that is a disk; from there the backup is copied out.
    made=$(compose exec -T app audittrail backup --to /app/data/.backups) || fail "audittrail backup failed, see above"
    name=$(basename -- "$made")
    [[ $name =~ $pattern ]] || fail "audittrail backup printed '$made', which is no backup"
    inside=$made
    [[ ! -e $dir/$name ]] || fail "$dir/$name is there already"
    partial=$dir/.$name.copying
    compose cp "app:$made" "$partial" || fail "$made could not be copied out of the container"
    (cd -- "$partial" && sha256sum --check --quiet SHA256SUMS) || fail "the copy differs from what is in the container"
    [[ -s $partial/manifest.json ]] || fail "the copy has no manifest.json"
    chmod -R go-rwx -- "$partial"
    mv -T -- "$partial" "$dir/$name"
    partial=
fi
[[ -s $dir/$name/manifest.json ]] || fail "$dir/$name is not complete"

# By the time in the name, since a copy has a new date; and only whole backups, never a link or another name.
oldest=audittrail-$(date -u -d "-$keep_days days" +%Y%m%dT%H%M%SZ)
for old in "$dir"/audittrail-*; do
    base=$(basename -- "$old")
    if [[ $base =~ $pattern && $base < $oldest && -d $old && ! -L $old && -f $old/manifest.json ]]; then
        rm -rf -- "$old" || fail "$old is too old and could not be deleted"
    fi
done
echo "$dir/$name"
