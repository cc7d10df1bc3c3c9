-- The built-in bot that sends what host apps let conversations say. Nobody signs in as it, and no server key can end it.
-- Where a user has its name already, it has another one.
insert into users (id, username, display_name, is_bot, created_at, deactivated_at)
select '00000000-0000-7000-8000-000000000001', free.username, 'System', true, now(), now()
from (select wanted.username
      from unnest(array['system', 'system-bot', 'built-in.system', 'system_0000000000000001'])
           with ordinality as wanted(username, n)
      where not exists (select from users taken where taken.username = wanted.username)
      order by wanted.n
      limit 1) free
on conflict (id) do nothing;
