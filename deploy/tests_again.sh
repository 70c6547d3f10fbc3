#!/bin/sh
# Runs the tests that failed in the last run of this checkout once more: one after the other, with the machine to
# themselves. Thousands of tests with real processes, several at a time, now and then hold one up beyond every bound.
# What fails again has failed, and so has a run in which more than a few did. What passes is printed, and kept in
# .pytest_cache/passed_alone: it is a test to mend.
#
#   make test || sh deploy/tests_again.sh PYTHON CLIENT
set -u

python=$1 client=$2 most=10
cd "$(dirname "$0")/.." || exit 1
kept=.pytest_cache/passed_alone
failed=.pytest_cache/v/cache/lastfailed
[ -s "$failed" ] || { echo "tests_again: no test is known to have failed, so the run itself did" >&2; exit 1; }
names=$(sed -n 's/^ *"\(.*\)": true,\{0,1\}$/\1/p' "$failed")
count=$(printf '%s\n' "$names" | grep -c .)
if [ "$count" = 0 ] || [ "$count" -gt "$most" ]; then
    echo "tests_again: $count tests failed; up to $most would be run again" >&2
    exit 1
fi
sh deploy/bootstrap.sh "$python" "$client" python -m pytest --last-failed --last-failed-no-failures=none || exit
printf '%s\n' "$names" >>"$kept"
printf 'tests_again: failed beside others, passed alone:\n%s\n' "$names"
