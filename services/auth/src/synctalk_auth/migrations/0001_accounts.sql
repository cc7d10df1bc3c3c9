-- People, as far as signing in needs them. api owns how they call themselves; the profile here follows its events.
create table users (
  id uuid primary key,
  username text not null constraint users_username_taken unique,
  display_name text not null,
  avatar_url text,
  email text,
  password_hash text not null,
  created_at timestamptz not null,
  constraint users_username_lower check (username = lower(username))
);

-- One row for each sign-in: the family of all refresh tokens that descend from it.
create table sessions (
  id uuid primary key,
  user_id uuid not null references users (id) on delete cascade,
  device_name text,
  created_at timestamptz not null,
  last_used_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  reason text,
  constraint sessions_revoked_for_a_reason check ((revoked_at is null) = (reason is null))
);
create index sessions_live_by_user on sessions (user_id, id) where revoked_at is null;
create index sessions_live_by_expiry on sessions (expires_at) where revoked_at is null;
create index sessions_live_by_use on sessions (last_used_at) where revoked_at is null;
create index sessions_revoked on sessions (revoked_at) where revoked_at is not null;

-- Only the SHA-256 of a refresh token is kept. A spent one stays until it would have expired, so that its reuse is seen.
create table refresh_tokens (
  hash bytea primary key,
  session_id uuid not null references sessions (id) on delete cascade,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  spent_at timestamptz
);
create index refresh_tokens_by_session on refresh_tokens (session_id);
create index refresh_tokens_by_expiry on refresh_tokens (expires_at);

-- What a key is follows from the clock: published from its insertion, signing from signs_from until the next one signs,
-- published on until the last token that it signed has ended, then deleted.
create table signing_keys (
  kid text primary key,
  private_pem text not null,
  public_jwk jsonb not null,
  created_at timestamptz not null,
  signs_from timestamptz not null
);

create table outbox (
  id bigint generated always as identity primary key,
  type text not null,
  envelope text not null
);
