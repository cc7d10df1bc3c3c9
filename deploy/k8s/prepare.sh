#!/bin/sh
# Makes what the local overlay names and nobody commits: the namespace, a secret for each part, the databases' script.
# Run it once before `kubectl apply -k deploy/k8s/overlays/local`; run again it keeps the passwords and changes nothing.
#
# The secrets themselves are made as for the containers, by deploy/docker/secrets.sh; SYNCTALK_SECRETS says where they lie.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
folder=${SYNCTALK_SECRETS:-$here/secrets}
python=${PYTHON:-$root/.venv/bin/python}

SYNCTALK_SECRETS=$folder "$root/deploy/docker/secrets.sh"
"$python" -m synctalk_fcm credentials "$folder/service-account.json" --url http://fcm:8000 >/dev/null

apply() {
    "$@" --namespace synctalk --dry-run=client -o yaml | kubectl apply -f -
}

secret() { # NAME KEY=FILE…
    name=$1
    shift
    set -- $(for pair in "$@"; do printf ' --from-file=%s=%s' "${pair%%=*}" "$folder/${pair#*=}"; done)
    apply kubectl create secret generic "$name" "$@"
}

kubectl create namespace synctalk --dry-run=client -o yaml | kubectl apply -f -
shared="synctalk_redis_url=redis_url synctalk_limits_redis_url=limits_redis_url synctalk_rabbitmq_url=rabbitmq_url synctalk_internal_secret=internal_secret"
secret synctalk-auth synctalk_database_url=auth_database_url synctalk_signing_key_passphrase=signing_key_passphrase $shared
secret synctalk-api synctalk_database_url=api_database_url $shared
secret synctalk-presence synctalk_database_url=presence_database_url $shared
secret synctalk-notifier synctalk_database_url=notifier_database_url $shared
secret synctalk-gateway $shared
secret synctalk-firebase service-account.json=service-account.json
secret synctalk-postgres postgres_password=postgres_password \
    synctalk_auth_db_password=synctalk_auth_db_password synctalk_api_db_password=synctalk_api_db_password \
    synctalk_presence_db_password=synctalk_presence_db_password synctalk_notifier_db_password=synctalk_notifier_db_password
secret synctalk-redis redis.conf=redis.conf
secret synctalk-rabbitmq rabbitmq.conf=rabbitmq.conf
apply kubectl create configmap postgres-init --from-file=init.sql="$root/deploy/postgres/init.sql"
