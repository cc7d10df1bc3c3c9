-- A database and a role for each service, run by psql as the superuser; run it as often as you like.
--
-- The passwords are files, one for each role, named synctalk_<service>_db_password, in the folder that the variable
-- SYNCTALK_PASSWORDS_DIR names (/run/secrets where it is not set). A role can connect to its own database only.
-- Containers (docker-entrypoint-initdb.d), Kubernetes and the local stack share this file.

\set ON_ERROR_STOP on
\set auth_password `cat "${SYNCTALK_PASSWORDS_DIR:-/run/secrets}/synctalk_auth_db_password"`
\set api_password `cat "${SYNCTALK_PASSWORDS_DIR:-/run/secrets}/synctalk_api_db_password"`
\set presence_password `cat "${SYNCTALK_PASSWORDS_DIR:-/run/secrets}/synctalk_presence_db_password"`
\set notifier_password `cat "${SYNCTALK_PASSWORDS_DIR:-/run/secrets}/synctalk_notifier_db_password"`

create temporary table wanted (name text, password text);
insert into wanted values
  ('synctalk_auth', :'auth_password'),
  ('synctalk_api', :'api_password'),
  ('synctalk_presence', :'presence_password'),
  ('synctalk_notifier', :'notifier_password');

select format('create role %I', name)
from wanted where name not in (select rolname from pg_roles) \gexec

select format('alter role %I login nosuperuser nocreatedb nocreaterole password %L', name, password)
from wanted \gexec

-- No statement, lock or forgotten transaction holds others up without end. Statements are short, also those that the
-- planner takes for long ones, as searches: compiling them costs more than it saves.
select format('alter role %I set %s', name, setting)
from wanted, unnest(array[
  'statement_timeout = ''15s''',
  'lock_timeout = ''5s''',
  'idle_in_transaction_session_timeout = ''15s''',
  'jit = off'
]) as setting \gexec

select format('create database %I owner %I', name, name)
from wanted where name not in (select datname from pg_database) \gexec

select format('revoke all on database %I from public', name) from wanted \gexec
revoke connect on database postgres from public;
revoke connect on database template1 from public;

-- In its own database a service may make tables; nobody else may.
select format('grant connect, temporary on database %I to %I', name, name) from wanted \gexec
