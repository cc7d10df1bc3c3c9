-- no transaction
-- Whose picture an uploaded avatar is: a user's, or a group's.
create index concurrently if not exists users_uploaded_avatar on users (avatar_url)
where avatar_url like '/v1/avatars/%';
create index concurrently if not exists conversations_uploaded_avatar on conversations (avatar_url)
where avatar_url like '/v1/avatars/%';
