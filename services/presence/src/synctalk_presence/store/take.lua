-- Claim some of those who are due in one shard, so that one process at a time decides about them.
-- KEYS: due, sweep.  ARGV: limit, claim_ms, gap_ms, lease_ms.
-- Returns the users. When nobody has looked for longer than gap_ms, gateways could not renew either: from now on no
-- expired lease counts as a departure for one lease time.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limit, claim_ms, gap_ms, lease_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local at = tonumber(redis.call('HGET', KEYS[2], 'at') or 0)
if now - at > gap_ms then redis.call('HSET', KEYS[2], 'hold', now + lease_ms) end
redis.call('HSET', KEYS[2], 'at', now)
local users = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, limit)
for _, user in ipairs(users) do redis.call('ZADD', KEYS[1], now + claim_ms, user) end
return users
