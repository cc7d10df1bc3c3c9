-- Have users of one shard looked at in one lease time, who are in no index although they count as connected.
-- KEYS: due.  ARGV: lease_ms; then the users.
-- Returns how many were in none.
local time = redis.call('TIME')
local look_at = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[1])
local added = 0
for i = 2, #ARGV do added = added + redis.call('ZADD', KEYS[1], 'NX', look_at, ARGV[i]) end
return added
