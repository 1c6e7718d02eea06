#!/bin/sh
# Playwright tells Firefox to end when the process of a tab crashes. A person's Firefox goes on, and so must the one under test.
unset MOZ_CRASHREPORTER MOZ_CRASHREPORTER_SHUTDOWN
exec "$SELKIE_FIREFOX" "$@"
