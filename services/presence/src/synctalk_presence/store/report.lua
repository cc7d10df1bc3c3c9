-- A gateway's word on some connections of one shard.
-- KEYS: due; then for each connection two: its person's leases, its person's hash.
-- ARGV: lease_ms, grace_ms, keep_ms; then for each connection three: person, connection, 1 held or 0 released.
-- Returns the persons with a held connection who do not count as connected yet.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease_ms, grace_ms, keep_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local due, expiry, arrivals = KEYS[1], now + lease_ms, {}

local function hold(leases, hash, person, connection)
  redis.call('ZADD', leases, expiry, connection)
  -- What expired stays for one more lease time: after an outage of Redis it may still come back.
  redis.call('ZREMRANGEBYSCORE', leases, -now, now - lease_ms)
  redis.call('HDEL', hash, 'seen')
  local known = redis.call('HMGET', hash, 'connected', 'pending')
  if not known[2] then redis.call('ZADD', due, expiry, person) end
  if known[1] ~= '1' then arrivals[#arrivals + 1] = person end
end

local function release(leases, hash, person, connection, was_held)
  redis.call('ZADD', leases, -expiry, connection)
  if redis.call('ZCOUNT', leases, '(' .. now, '+inf') > 0 then return end
  if not was_held then
    redis.call('ZADD', due, 'NX', now + grace_ms, person)
    return
  end
  redis.call('HSET', hash, 'seen', now)
  if redis.call('HEXISTS', hash, 'pending') == 0 then redis.call('ZADD', due, now + grace_ms, person) end
end

for i = 1, (#KEYS - 1) / 2 do
  local leases, hash = KEYS[2 * i], KEYS[2 * i + 1]
  local person, connection, held = ARGV[3 * i + 1], ARGV[3 * i + 2], ARGV[3 * i + 3] == '1'
  local score = tonumber(redis.call('ZSCORE', leases, connection) or 0)
  if not held then
    release(leases, hash, person, connection, score > 0)
  elseif score >= 0 then
    hold(leases, hash, person, connection)
  end
  redis.call('PEXPIRE', leases, keep_ms)
  redis.call('PEXPIRE', hash, keep_ms)
end
return arrivals
