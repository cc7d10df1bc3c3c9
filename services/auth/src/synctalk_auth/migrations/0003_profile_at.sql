-- When api wrote the profile that is copied here: events of one person may be heard in another order.
alter table users add column profile_at timestamptz;
