-- A gateway's report on some connections of one shard.
-- KEYS: due; then for each connection three: its user's leases, idle set, hash.
-- ARGV: lease_ms, grace_ms, keep_ms; then for each connection three: user, connection, 2 active, 1 idle, 0 released.
-- Returns the users with a live connection who do not count as connected yet.
local lease_ms, grace_ms, keep_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local due, expiry, arrivals = KEYS[1], now + lease_ms, {}

local function renew(leases, idle, hash, user, connection, is_active)
  redis.call('ZADD', leases, expiry, connection)
  if is_active then redis.call('ZREM', idle, connection) else redis.call('ZADD', idle, expiry, connection) end
  -- What expired stays for one more lease time: after an outage of Redis it may still come back.
  redis.call('ZREMRANGEBYSCORE', leases, -now, now - lease_ms)
  redis.call('ZREMRANGEBYSCORE', idle, '-inf', now - lease_ms)
  redis.call('HDEL', hash, 'seen')
  local known = redis.call('HMGET', hash, 'connected', 'pending')
  if not known[2] then redis.call('ZADD', due, look_at(leases, idle, hash), user) end
  if known[1] ~= '1' then arrivals[#arrivals + 1] = user end
end

local function release(leases, idle, hash, user, connection, was_live)
  redis.call('ZADD', leases, -expiry, connection)
  local was_idle = redis.call('ZREM', idle, connection) == 1
  if was_live and not was_idle then redis.call('HSET', hash, 'active_until', now + grace_ms) end
  local is_pending = redis.call('HEXISTS', hash, 'pending') == 1
  if highest_expiry(leases) > now then
    if not is_pending then redis.call('ZADD', due, look_at(leases, idle, hash), user) end
    return
  end
  if not was_live then
    redis.call('ZADD', due, 'NX', now + grace_ms, user)
    return
  end
  redis.call('HSET', hash, 'seen', now)
  if not is_pending then redis.call('ZADD', due, now + grace_ms, user) end
end

for i = 1, (#KEYS - 1) / 3 do
  local leases, idle, hash = KEYS[3 * i - 1], KEYS[3 * i], KEYS[3 * i + 1]
  local user, connection, state = ARGV[3 * i + 1], ARGV[3 * i + 2], ARGV[3 * i + 3]
  local score = tonumber(redis.call('ZSCORE', leases, connection) or 0)
  if state == '0' then
    release(leases, idle, hash, user, connection, score > 0)
  elseif score >= 0 then
    renew(leases, idle, hash, user, connection, state == '2')
  end
  redis.call('PEXPIRE', leases, keep_ms)
  redis.call('PEXPIRE', idle, keep_ms)
  redis.call('PEXPIRE', hash, keep_ms)
end
return arrivals
