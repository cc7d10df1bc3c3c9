-- Put before the scripts that weigh a user's activity. Idle is who has a live lease and no active one; a lease is
-- active unless it lies in the user's idle set. What expired or closed a moment ago may still count for a while:
-- `active_until` in the user's hash, so that one who changes networks does not seem idle on another device.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function highest_expiry(leases)
  return tonumber(redis.call('ZREVRANGE', leases, 0, 0, 'WITHSCORES')[2] or 0)
end

-- When the last active lease ends; 0 when none is live.
local function last_active_expiry(leases, idle)
  if redis.call('EXISTS', idle) == 0 then
    local highest = highest_expiry(leases)
    return highest > now and highest or 0
  end
  local last = 0
  local live = redis.call('ZRANGEBYSCORE', leases, '(' .. now, '+inf', 'WITHSCORES')
  for i = 1, #live, 2 do
    if not redis.call('ZSCORE', idle, live[i]) then last = tonumber(live[i + 1]) end
  end
  return last
end

-- Until when a user counts as active.
local function active_until(leases, idle, hash)
  return math.max(last_active_expiry(leases, idle), tonumber(redis.call('HGET', hash, 'active_until') or 0))
end

-- When the sweep has to look at somebody with a live lease: at its end, or when their activity is not as announced.
local function look_at(leases, idle, hash)
  local highest, active = highest_expiry(leases), active_until(leases, idle, hash)
  if redis.call('HGET', hash, 'idle') == '1' then return active > now and now or highest end
  return active > now and math.min(highest, active) or now
end

