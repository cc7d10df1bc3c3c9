#!/bin/sh
# Runs nginx by the command given, and lets its sockets go in waves when it is stopped.
#
# nginx by itself waits for its sockets, until somebody kills it and all of them break at the same moment. So each gateway
# is told that this edge leaves: it notifies the sockets that came through it and closes them over its SYNCTALK_DRAIN_S.
# nginx ends with the last of them. A second signal does not wait.
set -u
EDGE_NAME=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export EDGE_NAME

# Each gateway by its own address: the name has all of them. Alpine's getent may not know ahosts.
gateways() {
    for gateway in ${EDGE_GATEWAYS:?}; do
        { getent ahosts "${gateway%:*}" || nslookup "${gateway%:*}"; } 2>/dev/null | awk -v port="${gateway##*:}" '
            function show(address) { print (address ~ /:/ ? "[" address "]" : address) ":" port }
            $1 ~ /^[0-9a-f.:]+$/ { show($1) }
            $1 == "Name:" { answered = 1 }
            $1 == "Address:" && answered { show($2) }'
    done | sort -u
}

leave() {
    trap 'kill -TERM "$nginx"' TERM QUIT INT
    kill -QUIT "$nginx"
    for address in $(gateways); do
        timeout 5 wget -q -O /dev/null --header "X-Synctalk-Edge: $EDGE_NAME" --post-data "" "http://$address/edge/drain" ||
            echo "the gateway at $address was not told that this edge leaves" >&2 &
    done
}

trap leave TERM QUIT INT
"$@" &
nginx=$!
status=0
while kill -0 "$nginx" 2>/dev/null; do
    wait "$nginx"
    status=$?
done
exit "$status"
