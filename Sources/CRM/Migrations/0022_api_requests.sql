-- SPDX-License-Identifier: Apache-2.0
-- What programs asked to be written and were answered, so that asking again changes nothing.

create table api_request (
  user_id bigint not null references app_user,
  -- what the program calls its request
  key text not null check (length(key) between 1 and 255),
  -- SHA-256 of method, path and body: the same key for something else is a mistake
  fingerprint bytea not null check (length(fingerprint) = 32),
  -- null only inside the transaction that answers
  status int,
  location text,
  body text,
  made_at timestamptz not null default now(),
  primary key (user_id, key)
);

create index api_request_made on api_request (made_at);

-- what a program sends again after something else is meant: it is applied, however well its bytes are known
alter table preview add column is_from_program boolean not null default false;
