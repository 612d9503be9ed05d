// SPDX-License-Identifier: Apache-2.0
// The statements that keep secrets.

internal import PostgreSQL

/// A closed secret.
struct SecretBox: Sendable {
    let name: String
    let bytes: [UInt8]
    let key: String
}

struct KeepSecret: Statement {
    let name: String
    let box: [UInt8]
    let key: String
    let person: String?

    static let sql = """
        insert into secret (name, box, key_id, set_by) values ($1, $2, $3, $4)
        on conflict (name) do update
        set box = excluded.box, key_id = excluded.key_id, set_by = excluded.set_by, set_at = now()
        """
    var parameters: [Parameter] {
        [Parameter(name), Parameter(Bytes(box)), Parameter(key), Parameter(person)]
    }
}

struct ListSecrets: Statement {
    static let sql = """
        select s.name, s.set_at, s.set_by,
          array(
            select f.name from flow_secret u
            join flow f on f.id = u.flow_id
            where u.secret = s.name
            order by f.name
          )
        from secret s
        order by s.name
        """

    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> SecretSummary {
        SecretSummary(
            name: try row.next(), setAt: try row.next(), setBy: try row.next(), flows: try row.next())
    }
}

struct FindSecret: Statement {
    let name: String

    static let sql = "select name, box, key_id from secret where name = $1"
    var parameters: [Parameter] { [Parameter(name)] }

    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> SecretBox {
        let (name, bytes): (String, Bytes) = (try row.next(), try row.next())
        return SecretBox(name: name, bytes: bytes.array, key: try row.next())
    }
}

/// Every secret.
struct AllSecrets: Statement {
    static let sql = "select name, box, key_id from secret order by name"

    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> SecretBox {
        try FindSecret.decode(&row)
    }
}

/// Closes a secret anew; who set it when stays.
struct CloseSecret: Statement {
    let name: String
    let box: [UInt8]
    let key: String

    static let sql = "update secret set box = $2, key_id = $3 where name = $1"
    var parameters: [Parameter] { [Parameter(name), Parameter(Bytes(box)), Parameter(key)] }
}

struct DeleteSecret: Statement {
    let name: String

    static let sql = "delete from secret where name = $1"
    var parameters: [Parameter] { [Parameter(name)] }
}

struct ForgetFlowSecrets: Statement {
    let flow: Int

    static let sql = "delete from flow_secret where flow_id = $1::bigint"
    var parameters: [Parameter] { [Parameter(flow)] }
}

struct KeepFlowSecrets: Statement {
    let flow: Int
    let names: [String]

    static let sql = "insert into flow_secret (flow_id, secret) select $1::bigint, unnest($2::text[])"
    var parameters: [Parameter] { [Parameter(flow), Parameter(names)] }
}
