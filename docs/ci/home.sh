#!/bin/sh
# Keeps the gate's home on a branch of its own, which all branches share: `home.sh fetch` before a gate, `home.sh keep` after.
# Kept are the records of the gates and the runs that they rest on; datasets and caches can be made again.
# WORKBENCH_REMOTE, WORKBENCH_BRANCH and WORKBENCH_HOME replace origin, workbench-home and .workbench.
set -eu
remote=${WORKBENCH_REMOTE:-origin}
branch=${WORKBENCH_BRANCH:-workbench-home}
home=${WORKBENCH_HOME:-.workbench}
local=refs/workbench/$branch

fetch() {
  code=0
  git ls-remote --exit-code "$remote" "refs/heads/$branch" >/dev/null || code=$?
  case $code in
    0)
      git fetch --quiet --depth 1 "$remote" "+refs/heads/$branch:$local"
      mkdir -p "$home"
      git archive "$local" | tar -x -C "$home"
      ;;
    2) echo "$branch is not there yet: the gate begins without baselines and looks" ;;
    *) exit "$code" ;; # rather no gate than one that forgot its looks because the network was down
  esac
}

keep() {
  test -d "$home" || exit 0
  here=$(pwd)
  parent=$(git rev-parse --quiet --verify "$local^{commit}" || true)
  GIT_INDEX_FILE=$(mktemp -u)
  GIT_DIR=$(git rev-parse --absolute-git-dir)
  export GIT_INDEX_FILE GIT_DIR
  cd "$home"
  for part in gates runs; do
    if test -d "$part"; then git --work-tree=. add --force --all -- "$part" ':(exclude,glob)**/lock'; fi
  done
  cd "$here"
  tree=$(git write-tree)
  rm -f "$GIT_INDEX_FILE"
  if test -n "$parent" && test "$tree" = "$(git rev-parse "$parent^{tree}")"; then exit 0; fi
  export GIT_AUTHOR_NAME=gate GIT_AUTHOR_EMAIL=gate@localhost GIT_COMMITTER_NAME=gate GIT_COMMITTER_EMAIL=gate@localhost
  commit=$(git commit-tree "$tree" ${parent:+-p "$parent"} -m "Records and runs of a gate")
  # Never forced: where another gate kept its records meanwhile, this one has not seen them and must be run again.
  git push --quiet "$remote" "$commit:refs/heads/$branch" || {
    echo "the records could not be kept: another gate kept its own meanwhile, or the token may not push; run again" >&2
    exit 5
  }
  git update-ref "$local" "$commit"
}

case ${1:-} in
  fetch) fetch ;;
  keep) keep ;;
  *) echo "usage: home.sh fetch|keep" >&2 && exit 2 ;;
esac
