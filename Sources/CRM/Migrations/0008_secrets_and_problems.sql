-- SPDX-License-Identifier: Apache-2.0
-- Passwords and keys of other machines, and what runs could not fetch. The key that opens secrets is never here.

create table secret (
  name text collate "C" primary key check (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  -- nonce, ciphertext and tag of AES-GCM, bound to the name
  box bytea not null,
  -- which key, by the beginning of its hash
  key_id text not null,
  set_by text,
  set_at timestamptz not null default now()
);

-- the secrets that the current version of a flow names; such a secret is not deleted
create table flow_secret (
  flow_id int not null references flow on delete cascade,
  secret text collate "C" not null references secret,
  primary key (flow_id, secret)
);

create index flow_secret_secret on flow_secret (secret);

-- what a run could not even begin to read: links, empty files, files that could not be fetched
create table run_problem (
  run_id bigint not null references run on delete cascade,
  id bigint generated always as identity,
  problem jsonb not null,
  at timestamptz not null default now(),
  primary key (run_id, id)
);
