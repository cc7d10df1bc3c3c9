-- Sign-ins that have gone to an identity provider. Nonce and PKCE verifier are derived from the browser's cookie, of which
-- only the hash is here.
create table oidc_logins (
  state_hash bytea primary key,
  browser_hash bytea not null,
  provider text not null,
  return_to text not null,
  code_challenge text,
  expires_at timestamptz not null
);
create index oidc_logins_by_expiry on oidc_logins (expires_at);

-- Sign-ins that came back: what the provider said of the user, until the web client shows the one-time code.
create table oidc_codes (
  hash bytea primary key,
  browser_hash bytea not null,
  code_challenge text,
  may_create boolean not null,
  profile jsonb not null,
  expires_at timestamptz not null
);
create index oidc_codes_by_expiry on oidc_codes (expires_at);
