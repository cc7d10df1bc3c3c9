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
"$python" -m synctalk_fcm credentials "$folder/service-account.json" --url http://fcm:8000 \
    --vapid-key "$folder/vapid.pem" >/dev/null

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
own() { # SERVICE CALLER…: its own accounts and secret, and those of whoever calls it
    service=$1
    shift
    for name in redis_url limits_redis_url rabbitmq_url internal_secret; do echo "synctalk_$name=${service}_$name"; done
    for caller in "$@"; do echo "synctalk_internal_secret_$caller=${caller}_internal_secret"; done
}

secret synctalk-auth synctalk_database_url=auth_database_url synctalk_signing_key_passphrase=signing_key_passphrase \
    $(own auth api gateway presence notifier)
secret synctalk-api synctalk_database_url=api_database_url $(own api auth gateway presence notifier)
secret synctalk-presence synctalk_database_url=presence_database_url $(own presence gateway notifier)
secret synctalk-notifier synctalk_database_url=notifier_database_url $(own notifier)
secret synctalk-gateway $(own gateway)
secret synctalk-firebase service-account.json=service-account.json vapid.pem=vapid.pem
secret synctalk-postgres postgres_password=postgres_password \
    synctalk_auth_db_password=synctalk_auth_db_password synctalk_api_db_password=synctalk_api_db_password \
    synctalk_presence_db_password=synctalk_presence_db_password synctalk_notifier_db_password=synctalk_notifier_db_password
secret synctalk-redis redis.conf=redis.conf
secret synctalk-rabbitmq rabbitmq.conf=rabbitmq.conf rabbitmq.json=rabbitmq.json
apply kubectl create configmap postgres-init --from-file=init.sql="$root/deploy/postgres/init.sql"
