create table webhooks (
  id uuid primary key,
  url text not null,
  types text[] not null,
  description text not null,
  active boolean not null default true,
  created_at timestamptz not null,
  secret text not null,
  -- The one before, which signs too for a day.
  old_secret text,
  old_secret_until timestamptz,
  -- Of the first failure since a delivery succeeded.
  failing_since timestamptz,
  -- The number in the feed up to which its deliveries are made.
  position bigint not null
);

create table webhook_deliveries (
  webhook_id uuid not null references webhooks on delete cascade,
  n bigint not null,
  event_id uuid not null,
  type text not null,
  -- The conversation or user within which events are delivered in order.
  lane uuid,
  status text not null,
  attempts int not null,
  last_status int,
  last_error text,
  next_try_at timestamptz,
  claimed_until timestamptz,
  created_at timestamptz not null,
  primary key (webhook_id, n)
);
create index webhook_deliveries_pending on webhook_deliveries (webhook_id, n) where status = 'pending';
create index webhook_deliveries_created on webhook_deliveries (created_at);
