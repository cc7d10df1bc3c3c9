// A chat server in one file: Socket.IO with its Redis adapter, pg, ioredis. What the load is compared with.
//
// It does what any such server must do: the token is checked at connect, the rooms are those of the database, a message
// is stored before it is acked, and then emitted to the room. With COMMIT_EVERY_MS=0 each message is one statement and one
// commit; else the messages of so many milliseconds share a commit. All other settings are the libraries' own.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";

import { createAdapter } from "@socket.io/redis-adapter";
import { Redis } from "ioredis";
import jwt from "jsonwebtoken";
import pg from "pg";
import { Server } from "socket.io";

const { DATABASE_URL, REDIS_URL, JWT_SECRET, PORT } = process.env;
const commitEveryMs = Number(process.env.COMMIT_EVERY_MS ?? 0);

const pool = new pg.Pool({ connectionString: DATABASE_URL });
const publisher = new Redis(REDIS_URL);
const server = createServer((_, response) => response.writeHead(404).end());
const io = new Server(server, { adapter: createAdapter(publisher, publisher.duplicate()) });

const CONVERSATIONS = `
  select c.id::text, c.last_seq::int, c.last_seq::int as change_seq
  from members m join conversations c on c.id = m.conversation_id where m.user_id = $1`;

const STORE = `
  with numbered as (
    update conversations set last_seq = last_seq + 1
    where id = $2 and exists (select from members where conversation_id = $2 and user_id = $3)
    returning last_seq
  )
  insert into messages (id, conversation_id, seq, sender_id, client_message_id, body, created_at)
  select $1, $2, last_seq, $3, $4, $5, $6 from numbered
  returning seq::int`;

const STORE_ALL = `
  with given as (
    select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[])
      with ordinality as g (id, conversation_id, sender_id, client_message_id, body, created_at, place)
    where exists (select from members m where m.conversation_id = g.conversation_id and m.user_id = g.sender_id)
  ), numbered as (
    update conversations c set last_seq = last_seq + counted.messages
    from (select conversation_id, count(*) as messages from given group by 1) counted
    where c.id = counted.conversation_id
    returning c.id, c.last_seq - counted.messages as before
  )
  insert into messages (id, conversation_id, seq, sender_id, client_message_id, body, created_at)
  select g.id, g.conversation_id, n.before + row_number() over (partition by g.conversation_id order by g.place),
    g.sender_id, g.client_message_id, g.body, g.created_at
  from given g join numbered n on n.id = g.conversation_id
  returning id::text, seq::int`;

async function storeOne(message) {
  const values = [message.id, message.conversation_id, message.sender_id];
  values.push(message.client_message_id, message.body, message.created_at);
  const { rows } = await pool.query({ name: "store", text: STORE, values });
  return rows[0]?.seq;
}

let waiting = [];
let committing = false;
let timer;

function storeWithOthers(message) {
  return new Promise((resolve, reject) => {
    waiting.push({ message, resolve, reject });
    if (!committing) timer ??= setTimeout(commit, commitEveryMs);
  });
}

async function commit() {
  timer = undefined;
  committing = true;
  const batch = waiting;
  waiting = [];
  const column = (name) => batch.map(({ message }) => message[name]);
  const values = ["id", "conversation_id", "sender_id", "client_message_id", "body", "created_at"].map(column);
  try {
    const { rows } = await pool.query({ name: "store-all", text: STORE_ALL, values });
    const seqs = new Map(rows.map((row) => [row.id, row.seq]));
    for (const { message, resolve } of batch) resolve(seqs.get(message.id));
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
  committing = false;
  if (waiting.length > 0) timer ??= setTimeout(commit, commitEveryMs);
}

const store = commitEveryMs > 0 ? storeWithOthers : storeOne;

io.use((socket, next) => {
  try {
    socket.data.userId = jwt.verify(socket.handshake.auth.token, JWT_SECRET, { algorithms: ["HS256"] }).sub;
    next();
  } catch {
    next(new Error("unauthenticated"));
  }
});

io.on("connection", async (socket) => {
  const { userId } = socket.data;
  socket.on("message:send", async (data, ack) => {
    const message = {
      id: randomUUID(),
      conversation_id: data.conversation_id,
      seq: 0,
      change_seq: 0,
      sender_id: userId,
      client_message_id: data.client_message_id,
      body: data.body,
      reply_to: null,
      reactions: {},
      mentions: [],
      created_at: new Date().toISOString(),
      edited_at: null,
      deleted_at: null,
    };
    try {
      const seq = await store(message);
      if (seq === undefined) return ack({ ok: false, error: { code: "not_found" } });
      message.seq = message.change_seq = seq;
    } catch (error) {
      console.error(error);
      return ack({ ok: false, error: { code: "internal" } });
    }
    socket.to(message.conversation_id).emit("message:new", message);
    ack({ ok: true, message });
  });
  const { rows: conversations } = await pool.query({ name: "conversations", text: CONVERSATIONS, values: [userId] });
  await socket.join(conversations.map(({ id }) => id));
  socket.emit("ready", { user_id: userId, conversations });
});

server.listen(Number(PORT), "127.0.0.1");
