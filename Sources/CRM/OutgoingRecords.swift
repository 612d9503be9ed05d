// SPDX-License-Identifier: Apache-2.0
// Records of the CRM as other systems may have them: read back from their tables in the vocabulary of mappings.

internal import FoundationEssentials
package import Model
package import PostgreSQL

/// An entity whose changes can go out.
package enum OutgoingEntity: String, CaseIterable, Sendable {
    case account, person, invoice, contract, payment

    /// What its records have.
    package var schema: EntitySchema { query.schema }

    /// The rows that changes between two places of the log are changes of, each with the place of its last change, in
    /// the order of these.
    ///
    /// - Parameters:
    ///   - except: codes of the sources whose own changes do not count.
    ///   - flow: what was committed before it began does not count.
    package func changed(
        after: ChangeLog.Position, upTo: ChangeLog.Position, except: [String], for flow: Int,
        on connection: Connection
    ) async throws(PostgreSQLError) -> [ChangedRow] {
        let sql = """
            with change as materialized (
              select c.entity, c.entity_id, c.xid, c.seq
              from change_log c
              left join source_system y on y.id = c.source_id
              where (c.xid, c.seq) > ($1::text::xid8, $2::bigint) and (c.xid, c.seq) <= ($3::text::xid8, $4::bigint)
                and (y.code is null or y.code <> all($5::text[]))
                and not exists (
                  select from outgoing_start o
                  where o.flow_id = $6::bigint and pg_visible_in_snapshot(c.xid, o.snapshot))
            ), row as (
              \(rows)
            )
            select distinct on (id) id::text || ' ' || xid::text || ' ' || seq::text from row order by id, xid desc, seq desc
            """
        let found: [String] = try await connection.run(
            AdHoc(
                sql,
                [
                    Parameter(String(after.transaction)), Parameter(after.sequence),
                    Parameter(String(upTo.transaction)), Parameter(upTo.sequence), Parameter(except),
                    Parameter(flow),
                ]))
        return found.map { text in
            let numbers = text.split(separator: " ").map { Int($0) ?? 0 }
            return ChangedRow(
                id: numbers[0], at: ChangeLog.Position(transaction: numbers[1], sequence: numbers[2]))
        }.sorted { $0.at < $1.at }
    }

    /// The entity's rows behind changes: a site that changed changes its account; only documents of the right kind.
    private var rows: String {
        func of(
            _ table: String, _ log: String, id: String = "id", key: String = "id",
            _ condition: String = "true"
        ) -> String {
            """
            select t.\(id) as id, c.xid, c.seq from change c join \(table) t on c.entity = '\(log)' and c.entity_id = t.\(key)
            where \(condition)
            """
        }
        return switch self {
        case .account:
            of("org", "party", id: "party_id", key: "party_id") + "\nunion all\n"
                + of("site", "site", id: "party_id")
        case .person: of("person", "party", id: "party_id", key: "party_id")
        case .invoice: of("sales_doc", "sales_doc", "t.kind in ('invoice', 'credit_note')")
        case .contract: of("sales_doc", "sales_doc", "t.kind = 'contract' and not t.is_stub")
        case .payment: of("payment", "payment")
        }
    }

    fileprivate var query: RecordQuery {
        switch self {
        case .account: .account
        case .person: .person
        case .invoice:
            RecordQuery(
                SalesDocMirror.self, ["seller": "issuer_id", "buyer": "party_id"], site: "t.bill_site_id",
                others: ["billing_status": "coalesce(t.billing_status, t.given_status)"])
        case .contract: RecordQuery(ContractMirror.self, ["party": "party_id"], site: "t.bill_site_id")
        case .payment: RecordQuery(PaymentMirror.self, ["party": "party_id"])
        }
    }

    /// The records of some rows, by the rows' numbers; of an account one for each site.
    ///
    /// - Parameter source: the system whose codes for accounts are given.
    package func records(
        of ids: [Int], source: String, on connection: Connection
    ) async throws -> [OutgoingRecord] {
        let query = query
        let rows: [String] = try await connection.run(
            AdHoc(query.sql, [Parameter(ids), Parameter(source)]))
        return try rows.map { try query.record($0) }
    }
}

/// A record that goes out.
package struct OutgoingRecord: Sendable {
    /// Number of the row.
    package let id: Int
    /// Number of the site, of an account with any: its sites are a record each.
    package let site: Int?
    /// What it holds.
    package let record: Record
}

/// A row that changed.
package struct ChangedRow: Sendable, Hashable {
    /// Its number.
    package let id: Int
    /// The place of its last change.
    package let at: ChangeLog.Position
}

/// Reads an entity back: for each field the SQL of its text.
struct RecordQuery: Sendable {
    let schema: EntitySchema
    private let fields: [(name: String, sql: String)]
    private let from: String
    /// SQL of each collection, as a JSON list of objects of texts.
    private var collections: [(name: String, sql: String)] = []
    private var order = "t.id"
    private var id = "t.id"
    /// SQL of the site's number, where there is a record for each.
    private var site = "null::bigint"

    private init(
        schema: EntitySchema, from: String, id: String, order: String, _ fields: KeyValuePairs<String, String>
    ) {
        self.schema = schema
        self.from = from
        self.fields = fields.map { ($0, $1) }
        (self.id, self.order) = (id, order)
    }

    /// A mirror's records: its columns, the parties that its columns name, its children.
    init(
        _ mirror: (some MirrorTable).Type, _ parties: KeyValuePairs<String, String>, site: String = "null",
        others: [String: String] = [:]
    ) {
        schema = mirror.schema
        var fields: [(String, String)] = []
        for column in mirror.key + mirror.columns {
            guard let field = column.field, mirror.schema.slot(of: field) != nil, others[field] == nil else {
                continue
            }
            fields.append((field, "t.\(column.name)"))
        }
        fields += others.map { ($0, $1) }
        var from = "\(mirror.name) t"
        for (role, column) in parties {
            from += " " + Self.join(role, column, site: role == "seller" ? "null" : site)
            fields += Self.columns(of: role).filter { mirror.schema.slot(of: $0.0) != nil }
        }
        self.fields = fields
        self.from = from
        collections = mirror.children.map { child in
            (
                child.collection,
                Self.list(
                    child.columns.compactMap { column in column.field.map { ($0, "c.\(column.name)") } },
                    mirror.schema.collection(child.collection).map { mirror.schema.collections[$0].fields }
                        ?? [],
                    "\(child.name) c where c.\(child.parent) = t.id")
            )
        }
    }

    private static func join(_ role: String, _ column: String, site: String) -> String {
        """
        left join party \(role)_p on \(role)_p.id = t.\(column)
        left join org \(role)_o on \(role)_o.party_id = t.\(column)
        left join site \(role)_s on \(role)_s.id = coalesce(\(site), (
          select x.id from site x where x.party_id = t.\(column) order by x.is_main desc, x.id limit 1))
        """
    }

    private static func columns(of role: String) -> [(String, String)] {
        [
            ("\(role).name", "\(role)_p.name"), ("\(role).siren", "\(role)_o.siren"),
            ("\(role).vat", "\(role)_o.vat"), ("\(role).legal_id", "\(role)_o.legal_id"),
            ("\(role).siret", "\(role)_s.siret"), ("\(role).gln", "\(role)_s.gln"),
            ("\(role).street", "\(role)_s.street"), ("\(role).postal_code", "\(role)_s.postal_code"),
            ("\(role).city", "\(role)_s.city"), ("\(role).country", "\(role)_s.country"),
            ("\(role).code", code(of: "\(role)_s.id")),
            ("\(role).phone", contact("phone", of: "\(role)_p.id")),
        ]
    }

    /// The code that the system has for an establishment.
    private static func code(of site: String) -> String {
        """
        (select e.ext_id from external_identity e join source_system y on y.id = e.source_id
         where e.entity = 'site' and e.entity_id = \(site) and e.ext_type = 'account' and y.code = $2
         order by e.ext_id limit 1)
        """
    }

    private static func contact(_ kind: String, of party: String) -> String {
        """
        (select k.value from contact_point k where k.party_id = \(party) and k.kind = '\(kind)'
         order by k.is_main desc, k.value_norm limit 1)
        """
    }

    static var account: RecordQuery {
        var query = RecordQuery(
            schema: .account,
            from: "party t join org o on o.party_id = t.id left join site s on s.party_id = t.id", id: "t.id",
            order: "t.id, s.is_main desc, s.id",
            [
                "code": code(of: "s.id"), "name": "t.name", "siren": "o.siren", "siret": "s.siret",
                "vat": "o.vat", "street": "s.street", "postal_code": "s.postal_code", "city": "s.city",
                "country": "s.country", "phone": contact("phone", of: "t.id"),
                "email": contact("email", of: "t.id"),
                "email_domain": contact("email_domain", of: "t.id"), "iban": contact("iban", of: "t.id"),
            ])
        query.site = "s.id"
        return query
    }

    static var person: RecordQuery {
        RecordQuery(
            schema: .person,
            from: """
                party t join person h on h.party_id = t.id
                left join lateral (
                  select r.to_id, r.label from relation r
                  where r.from_id = t.id and r.kind = 'works_for' order by r.id desc limit 1
                ) w on true
                left join party a_p on a_p.id = w.to_id
                left join org a_o on a_o.party_id = w.to_id
                left join site a_s on a_s.id = (
                  select x.id from site x where x.party_id = w.to_id order by x.is_main desc, x.id limit 1)
                """, id: "t.id", order: "t.id",
            [
                "civility": "h.civility", "first_name": "h.first_name",
                "last_name": "coalesce(h.last_name, t.name)", "language": "h.language",
                "job_title": "w.label", "email": contact("email", of: "t.id"),
                "phone": contact("phone", of: "t.id"), "account.code": code(of: "a_s.id"),
                "account.name": "a_p.name", "account.siren": "a_o.siren", "account.siret": "a_s.siret",
                "account.vat": "a_o.vat", "account.postal_code": "a_s.postal_code",
            ])
    }

    private static func list(
        _ columns: [(String, String)], _ fields: [FieldSchema], _ from: String
    ) -> String {
        "(select jsonb_agg(\(object(columns, fields)) order by c.no) from \(from))"
    }

    /// Texts, since a number of JSON would lose its digits; JSON's dates are ISO whatever the server is set to.
    private static func object(_ columns: [(String, String)], _ fields: [FieldSchema]) -> String {
        let pairs = columns.map { name, sql in
            let isDate = fields.contains { $0.name == name && $0.type == .date }
            return "'\(name)', \(isDate ? sql : "(\(sql))::text")"
        }
        return "jsonb_strip_nulls(jsonb_build_object(\(pairs.joined(separator: ", "))))"
    }

    /// `$1` = numbers of rows, `$2` = the source whose codes are wanted.
    var sql: String {
        // A function takes a hundred arguments at most, which is fifty fields.
        let parts = stride(from: 0, to: fields.count, by: 40).map { start in
            Self.object(Array(fields[start..<min(start + 40, fields.count)]), schema.fields)
        }
        let rows = collections.map { "'\($0.name)', coalesce(\($0.sql), '[]')" }.joined(separator: ", ")
        return """
            select jsonb_build_object('id', \(id), 'site', \(site), 'fields', \(parts.joined(separator: " || ")), 'rows', jsonb_build_object(\(rows)))::text
            from \(from)
            where \(id) = any($1::bigint[]) and $2::text is not null
            order by \(order)
            """
    }

    // MARK: - Records

    private struct Texts: Decodable {
        let id: Int
        let site: Int?
        let fields: [String: String]
        let rows: [String: [[String: String]]]
    }

    /// The record that a row of ``sql`` describes.
    func record(_ json: String) throws -> OutgoingRecord {
        let texts = try JSONDecoder().decode(Texts.self, from: Data(json.utf8))
        var record = Record(schema: schema)
        for (slot, field) in schema.fields.enumerated() {
            guard let text = texts.fields[field.name] else { continue }
            record[schema.fields[slot].name] = Self.value(text, field.type)
        }
        for (index, collection) in schema.collections.enumerated() {
            for row in texts.rows[collection.name] ?? [] {
                record.append(
                    collection.fields.map { field in row[field.name].flatMap { Self.value($0, field.type) } },
                    to: index)
            }
        }
        return OutgoingRecord(id: texts.id, site: texts.site, record: record)
    }

    /// What PostgreSQL writes of a value as text, read back.
    private static func value(_ text: String, _ type: ValueType) -> Value? {
        switch type {
        case .string, .currency: .text(text)
        case .decimal: Decimal(text).map { .decimal($0) }
        case .int: Int(text).map { .integer($0) }
        case .bool: .boolean(text == "true")
        case .date:
            // ISO, as JSON has it.
            isoDay(text).map { .date($0) }
        case .datetime: .text(text)
        }
    }

    private static func isoDay(_ text: String) -> CalendarDate? {
        let parts = text.split(separator: "-").compactMap { Int($0) }
        return parts.count == 3 ? CalendarDate(year: parts[0], month: parts[1], day: parts[2]) : nil
    }
}
