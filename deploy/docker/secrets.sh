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

for name in postgres_password redis_password rabbitmq_password internal_secret signing_key_passphrase \
    synctalk_auth_db_password synctalk_api_db_password synctalk_presence_db_password synctalk_notifier_db_password; do
    make "$name" 24
    check "$name"
done

# What follows is made from those above, each time.
for service in auth api presence notifier; do
    role=synctalk_$service
    printf 'postgresql://%s:%s@postgres:5432/%s\n' "$role" "$(cat "$folder/${role}_db_password")" "$role" |
        write "${service}_database_url"
done
printf 'redis://:%s@redis:6379/0\n' "$(cat "$folder/redis_password")" | write redis_url
printf 'redis://:%s@redis:6379/1\n' "$(cat "$folder/redis_password")" | write limits_redis_url
printf 'amqp://synctalk:%s@rabbitmq:5672/\n' "$(cat "$folder/rabbitmq_password")" | write rabbitmq_url
printf 'default_user = synctalk\ndefault_pass = %s\nloopback_users = none\n' "$(cat "$folder/rabbitmq_password")" |
    write rabbitmq.conf
# Nothing in Redis is a truth here, so nothing is kept; it is bounded, and refuses rather than forgets.
{
    printf 'requirepass %s\n' "$(cat "$folder/redis_password")"
    printf 'save ""\nappendonly no\nmaxmemory 256mb\nmaxmemory-policy noeviction\n'
    printf 'tcp-keepalive 15\nclient-output-buffer-limit pubsub 32mb 8mb 60\n'
} | write redis.conf
