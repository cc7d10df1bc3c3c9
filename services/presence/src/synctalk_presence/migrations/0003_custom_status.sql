-- An emoji beside the text, and when both end by themselves.
alter table people add column status_emoji text;
alter table people add column status_expires_at timestamptz;
