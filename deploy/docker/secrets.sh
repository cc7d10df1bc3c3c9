#!/bin/sh
# Makes the secrets of the containers, once: random files in deploy/docker/secrets, or in SYNCTALK_SECRETS.
# What is there stays. A secret that is empty, short or a well-known default is refused.
#
# The folder is closed to others; the files in it are readable, since a container reads its own by another user id.
set -eu
umask 022

folder=${SYNCTALK_SECRETS:-$(dirname "$0")/secrets}
mkdir -p "$folder"
chmod 0700 "$folder"

random() {
    od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'
}

write() { # NAME: what comes in, whole or not at all
    cat >"$folder/.$1.new"
    mv "$folder/.$1.new" "$folder/$1"
}

make() { # NAME BYTES
    [ -e "$folder/$1" ] || random "$2" | write "$1"
}

check() { # NAME
    value=$(cat "$folder/$1")
    case $value in
    guest | postgres | password | changeme | secret | synctalk) value= ;;
    esac
    if [ "${#value}" -lt 16 ]; then
        echo "The secret $folder/$1 is empty, a default or shorter than 16 characters: remove it to have it made anew." >&2
        exit 1
    fi
}

services="auth api gateway presence notifier"
accounts=$(dirname "$0")/../accounts

for name in postgres_password redis_password rabbitmq_password signing_key_passphrase \
    synctalk_auth_db_password synctalk_api_db_password synctalk_presence_db_password synctalk_notifier_db_password; do
    make "$name" 24
    check "$name"
done
for service in $services; do
    for name in ${service}_redis_password ${service}_rabbitmq_password ${service}_internal_secret; do
        make "$name" 24
        check "$name"
    done
done

with_passwords() { # the lines that come in, with each service's passwords in them
    script=$folder/.passwords.sed
    (
        umask 077
        for name in rabbitmq $(printf '%s_redis %s_rabbitmq ' $(for service in $services; do echo "$service $service"; done)); do
            printf 's/@%s_password@/%s/\n' "$name" "$(cat "$folder/${name}_password")"
        done >"$script"
    )
    sed -f "$script"
    rm "$script"
}

# What follows is made from those above, each time.
for service in auth api presence notifier; do
    role=synctalk_$service
    printf 'postgresql://%s:%s@postgres:5432/%s\n' "$role" "$(cat "$folder/${role}_db_password")" "$role" |
        write "${service}_database_url"
done
for service in $services; do
    redis="synctalk_$service:$(cat "$folder/${service}_redis_password")@redis:6379"
    printf 'redis://%s/0\n' "$redis" | write "${service}_redis_url"
    printf 'redis://%s/1\n' "$redis" | write "${service}_limits_redis_url"
    printf 'amqp://synctalk_%s:%s@rabbitmq:5672/\n' "$service" "$(cat "$folder/${service}_rabbitmq_password")" |
        write "${service}_rabbitmq_url"
done
# Imported at each start: what the accounts may do follows the release.
with_passwords <"$accounts/rabbitmq.json" | write rabbitmq.json
echo 'load_definitions = /run/secrets/rabbitmq.json' | write rabbitmq.conf
# Nothing in Redis is a truth here, so nothing is kept; it is bounded, and refuses rather than forgets.
{
    printf 'requirepass %s\n' "$(cat "$folder/redis_password")"
    printf 'save ""\nappendonly no\nmaxmemory 256mb\nmaxmemory-policy noeviction\n'
    printf 'tcp-keepalive 15\nclient-output-buffer-limit pubsub 32mb 8mb 60\n'
    with_passwords <"$accounts/redis.acl"
} | write redis.conf
