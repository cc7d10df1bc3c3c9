-- Messages whose links are to be looked up, and for a while those whose links were: `pages` has the keys of these.
create table linking_messages (
  message_id uuid primary key,
  conversation_id uuid not null,
  sender_id uuid not null,
  change_seq bigint not null,
  links text[] not null,
  pages bytea[] not null default '{}',
  noted_at timestamptz not null,
  -- Null: done.
  due_at timestamptz,
  attempts int not null default 0
);
create index linking_messages_due on linking_messages (due_at) where due_at is not null;
create index linking_messages_noted on linking_messages (noted_at);

-- What pages say of themselves, by a hash of their address; a `title` of null: nothing.
create table pages (
  key bytea primary key,
  title text,
  description text,
  image_url text,
  expires_at timestamptz not null,
  claimed_until timestamptz
);
create index pages_expires on pages (expires_at);
