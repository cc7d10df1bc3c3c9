-- Look whether claimed users of one shard are still here; from this moment a gone one's next lease is an arrival.
-- KEYS: due, sweep; then for each user three: leases, idle set, hash.
-- ARGV: lease_ms, grace_ms, keep_ms; then the users.
-- Returns for each user five numbers: 0 gone, 1 to be waited for, 2 here; 1 if they count as connected; 1 if a
-- change was not announced yet; when they were last known to be here (Unix ms, 0 unknown); of one who is here 2 if they
-- became active, 1 if they became idle, else 0. Of these the claim stays until they are announced.
local lease_ms, grace_ms, keep_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local hold = tonumber(redis.call('HGET', KEYS[2], 'hold') or 0)

local function turn(leases, idle, hash)
  local active, is_idle = active_until(leases, idle, hash) > now, redis.call('HGET', hash, 'idle') == '1'
  if active then return is_idle and 2 or 0 end
  return not is_idle and hold <= now and 1 or 0
end

local answers = {}
for i = 1, #ARGV - 3 do
  local leases, idle, hash, user = KEYS[3 * i], KEYS[3 * i + 1], KEYS[3 * i + 2], ARGV[i + 3]
  local highest = highest_expiry(leases)
  local known = redis.call('HMGET', hash, 'seen', 'connected', 'pending')
  local seen = tonumber(known[1] or 0)
  local wait_until = 0
  if seen > 0 then wait_until = seen + grace_ms end
  if seen == 0 or highest > 0 then wait_until = math.max(wait_until, hold) end
  local state, turned = 0, 0
  if highest > now then
    state, turned = 2, turn(leases, idle, hash)
    local next_look = look_at(leases, idle, hash)
    if next_look <= now then next_look = math.min(highest, hold) end  -- seems idle, while no expired lease counts
    if turned == 0 then redis.call('ZADD', KEYS[1], next_look, user) end
  elseif wait_until > now then
    state = 1
    redis.call('ZADD', KEYS[1], wait_until, user)
  else
    redis.call('HSET', hash, 'connected', '0')
    redis.call('PEXPIRE', hash, keep_ms)
  end
  if highest > 0 then seen = math.max(seen, math.min(now, highest - lease_ms)) end
  answers[#answers + 1] = {state, known[2] == '1' and 1 or 0, known[3] and 1 or 0, seen, turned}
end
return answers
