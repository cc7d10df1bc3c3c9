-- Keys of host apps' backends: hashes only. A revoked one is deleted.
create table server_keys (
  id uuid primary key,
  hash bytea not null constraint server_keys_hash unique,
  name text not null,
  scopes text[] not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  last_used_at timestamptz
);
