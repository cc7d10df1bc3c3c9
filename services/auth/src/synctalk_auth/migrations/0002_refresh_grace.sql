-- A refresh token that was spent a moment ago answers its successor again while that is unused: the answer may have been
-- lost. The successor is made of the spent token, which is not kept here, and this seed, so neither gives it away alone.
alter table refresh_tokens add column successor_seed bytea, add column predecessor bytea;
