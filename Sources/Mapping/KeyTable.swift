// SPDX-License-Identifier: Apache-2.0
// The one table of the mapping language's keys: what may be written where, and what it means.

/// Where in a mapping file a key may stand.
package enum KeyContext: String, Sendable, CaseIterable {
    case file, source, dialect, limits, rows, groupBy = "group_by", field, check, match, account, unknown
    case upsert, children, detail, onError = "on_error"
    case export, output, column
}

/// A key of the language.
package struct MappingKey: Sendable {
    /// The word.
    package let name: String
    /// Where it stands.
    package let context: KeyContext
    /// What its value is: `text`, `integer`, `size`, `list`, `map`, `path`, `expression`, `pattern`, or the words
    /// allowed, with `|` between them.
    package let type: String
    /// Whether a file without it is refused.
    package let isRequired: Bool
    /// A value as it may be written.
    package let example: String

    init(_ context: KeyContext, _ name: String, _ type: String, required: Bool = false, _ example: String) {
        self.name = name
        self.context = context
        self.type = type
        isRequired = required
        self.example = example
    }

    /// The words of the catalogue that say what the key means.
    package var meaning: String { "mapping.key.\(context.rawValue).\(name)" }

    /// Every key; the checker and the reference are made from this list.
    package static let all: [MappingKey] = fileKeys + sourceKeys + fieldKeys + ruleKeys + exportKeys

    private static let fileKeys = [
        MappingKey(.file, "mapping", "text", required: true, "erp-factures"),
        MappingKey(.file, "version", "integer", required: true, "1"),
        MappingKey(.file, "target", "text", required: true, "invoice"),
        MappingKey(.file, "direction", "import", "import"),
        MappingKey(.file, "source", "map", required: true, "{kind: csv}"),
        MappingKey(.file, "defs", "map", "{party: {name: {path: x:Name}}}"),
        MappingKey(.file, "fields", "map", required: true, "{number: {col: NumFacture}}"),
        MappingKey(.file, "only", "expression", "account starts '411'"),
        MappingKey(.file, "rules", "list", "[en16931, fr]"),
        MappingKey(.file, "checks", "list", "[{id: TOTAL, expect: net_total + tax_total = gross_total}]"),
        MappingKey(.file, "file_checks", "list", "[{id: BALANCE, expect: sum(all.Debit) = sum(all.Credit)}]"),
        MappingKey(.file, "match", "map", "{account: {try: [[siren, buyer.siren]]}}"),
        MappingKey(.file, "upsert", "map", "{key: [number], same: skip, changed: version}"),
        MappingKey(.file, "derive", "billing_status", "billing_status"),
        MappingKey(.file, "on_error", "map", "{record: quarantine, stop_ratio: 0.05}"),
        MappingKey(.file, "tests", "list", "[tests/factures.csv]"),
    ]

    private static let sourceKeys = [
        MappingKey(.source, "kind", "xml | csv | fixed | tagged | record", required: true, "csv"),
        MappingKey(.source, "namespaces", "map", "{cbc: urn:oasis:…}"),
        MappingKey(.source, "record", "path", "inv:Invoice | cn:CreditNote"),
        MappingKey(.source, "stream", "text", "factures"),
        MappingKey(.source, "skip", "list", "[cac:Attachment]"),
        MappingKey(.source, "let", "map", "{set: rsm:Transaction/ram:Settlement}"),
        MappingKey(.source, "extract", "pdf-attachment", "pdf-attachment"),
        MappingKey(.source, "limits", "map", "{depth: 64, text: 1MiB}"),
        MappingKey(.source, "filename", "pattern", "'^(?<siren>\\d{9})FEC(?<closing>\\d{8})\\.txt$'"),
        MappingKey(.source, "encoding", "list", "[utf-8-bom, utf-8, windows-1252]"),
        MappingKey(.source, "dialect", "map", "{delimiter: \";\", header: 1}"),
        MappingKey(.source, "locale", "plain | fr | de | en | fec | overpunch", "fr"),
        MappingKey(.source, "aliases", "map", "{EcritureLet: [Lettrage]}"),
        MappingKey(.source, "rows", "map", "{by: {col: Type}, header: E, lines: L}"),
        MappingKey(.source, "group_by", "list", "[Ref]"),
        MappingKey(.source, "group", "adjacent | staged", "staged"),
        MappingKey(.source, "detail", "map", "{file: \"{lot}_lignes.csv\", key: [NumFacture]}"),
        MappingKey(.detail, "file", "text", required: true, "\"{lot}_lignes.csv\""),
        MappingKey(.detail, "key", "list", required: true, "[NumFacture]"),
        MappingKey(.dialect, "delimiter", "text", "[\",\", \";\"]"),
        MappingKey(.dialect, "quote", "text", "none"),
        MappingKey(.dialect, "header", "integer", "1"),
        MappingKey(.dialect, "columns", "by-name | by-name-ci | by-position", "by-name-ci"),
        MappingKey(.dialect, "ragged", "error | pad", "error"),
        MappingKey(.dialect, "trailing_empty", "ignore", "ignore"),
        MappingKey(.dialect, "overflow", "map", "{into: EcritureLib}"),
        MappingKey(.dialect, "length", "integer", "120"),
        MappingKey(.limits, "depth", "size", "64"),
        MappingKey(.limits, "text", "size", "1MiB"),
        MappingKey(.limits, "record", "size", "64MiB"),
        MappingKey(.rows, "by", "map", required: true, "{at: 1-2}"),
        MappingKey(.rows, "header", "list", required: true, "E"),
        MappingKey(.rows, "lines", "list", "L"),
        MappingKey(.rows, "taxes", "list", "T"),
        MappingKey(.rows, "entries", "list", "'04'"),
        MappingKey(.rows, "details", "list", "'05'"),
        MappingKey(.rows, "allocations", "list", "A"),
        MappingKey(.rows, "adjustments", "list", "R"),
        MappingKey(.rows, "reasons", "list", "M"),
        MappingKey(.rows, "record", "list", "'07'"),
        MappingKey(.rows, "ignore", "list", "['01', '07']"),
        MappingKey(.groupBy, "columns", "list", required: true, "[Ref]"),
        MappingKey(.groupBy, "blank", "continues", "continues"),
    ]

    private static let fieldKeys = [
        MappingKey(.field, "path", "path", "cac:Party/cbc:Name"),
        MappingKey(.field, "col", "text", "NumFacture"),
        MappingKey(.field, "at", "text", "1-8"),
        MappingKey(.field, "from", "text", "siret"),
        MappingKey(.field, "const", "text", "invoice"),
        MappingKey(.field, "root", "true", "true"),
        MappingKey(.field, "first", "list", "[cbc:DueDate, cac:PaymentMeans/cbc:PaymentDueDate]"),
        MappingKey(.field, "use", "text", "party"),
        MappingKey(.field, "each", "path", "cac:InvoiceLine"),
        MappingKey(.field, "fields", "map", "{label: {col: Designation}}"),
        MappingKey(.field, "type", "string | decimal | int | date | datetime | bool | currency", "decimal"),
        MappingKey(.field, "locale", "plain | fr | de | en | fec | overpunch", "fr"),
        MappingKey(.field, "decimals", "integer | map", "2"),
        MappingKey(.field, "negative", "expression", "direction = 'DBIT'"),
        MappingKey(.field, "row", "text", "'07'"),
        MappingKey(.field, "format", "list", "[yyyyMMdd, dd/MM/yyyy]"),
        MappingKey(.field, "century", "integer", "1970"),
        MappingKey(.field, "clean", "list", "[nospace, upper]"),
        MappingKey(.field, "take", "integer", "9"),
        MappingKey(.field, "regex", "pattern", "'^FR..(\\d{9})$'"),
        MappingKey(.field, "keep", "pattern", "'^\\d{14}$'"),
        MappingKey(.field, "valid", "siren | siret | vat | iban | luhn", "siren"),
        MappingKey(.field, "enum", "map", "{payee: paid}"),
        MappingKey(.field, "when", "expression", "gross_total < 0"),
        MappingKey(.field, "else", "text", "error"),
        MappingKey(.field, "required", "true | false", "true"),
        MappingKey(.field, "default", "text", "EUR"),
        MappingKey(.field, "empty", "absent | keep | clear", "clear"),
        MappingKey(.field, "max", "integer", "255"),
    ]

    private static let ruleKeys = [
        MappingKey(.check, "id", "text", required: true, "TOTAL"),
        MappingKey(.check, "severity", "error | warning | info", "warning"),
        MappingKey(.check, "when", "expression", "count(lines) > 0"),
        MappingKey(.check, "each", "text", "taxes"),
        MappingKey(.check, "expect", "expression", required: true, "net_total + tax_total = gross_total"),
        MappingKey(.check, "message", "text", "\"TTC {gross_total} ≠ HT {net_total}\""),
        MappingKey(.match, "account", "map", "{try: [[siren, buyer.siren]]}"),
        MappingKey(
            .account, "try", "list", required: true, "[[siret, buyer.siret], [external, erp, buyer.code]]"),
        MappingKey(.account, "none", "create | review", "{create: checksum-valid, else: review}"),
        MappingKey(.account, "many", "review", "review"),
        MappingKey(.unknown, "create", "checksum-valid", "checksum-valid"),
        MappingKey(.unknown, "else", "review", "review"),
        MappingKey(.upsert, "key", "list", "[issuer, number, year(issue_date)]"),
        MappingKey(.upsert, "same", "skip", "skip"),
        MappingKey(.upsert, "changed", "version | quarantine | overwrite", "version"),
        MappingKey(.upsert, "children", "map", "{lines: id, missing: close}"),
        MappingKey(.children, "lines", "text", "id"),
        MappingKey(.children, "taxes", "text", "category"),
        MappingKey(.children, "missing", "keep | close | delete", "close"),
        MappingKey(.onError, "record", "quarantine | skip | stop", "quarantine"),
        MappingKey(.onError, "stop_after", "integer", "1000"),
        MappingKey(.onError, "stop_ratio", "decimal", "0.05"),
        MappingKey(.onError, "stop_changed", "decimal", "0.3"),
    ]

    private static let exportKeys = [
        MappingKey(.export, "mapping", "text", required: true, "factures-export"),
        MappingKey(.export, "version", "integer", required: true, "1"),
        MappingKey(.export, "direction", "export", required: true, "export"),
        MappingKey(.export, "target", "text", required: true, "invoice"),
        MappingKey(.export, "output", "map", required: true, "{kind: csv, locale: fr}"),
        MappingKey(.export, "columns", "map", "{NumFacture: number}"),
        MappingKey(.export, "paths", "map", "{cbc:ID: number}"),
        MappingKey(.export, "only", "expression", "kind = 'invoice'"),
        MappingKey(.export, "tests", "list", "[tests/export-factures_*.csv]"),
        MappingKey(.output, "kind", "csv | xml | json", required: true, "csv"),
        MappingKey(
            .output, "encoding", "utf-8-bom | utf-8 | windows-1252 | iso-8859-15 | cp850", "windows-1252"),
        MappingKey(.output, "delimiter", "text", "\";\""),
        MappingKey(.output, "header", "true | false", "true"),
        MappingKey(.output, "locale", "plain | fr | de | en | fec", "fr"),
        MappingKey(.output, "each", "text", "lines"),
        MappingKey(.output, "namespaces", "map", "{cbc: urn:oasis:…}"),
        MappingKey(.output, "record", "text", "inv:Invoice"),
        MappingKey(.output, "root", "text", "x:Batch"),
        MappingKey(.column, "value", "expression", "net_total + tax_total"),
        MappingKey(.column, "format", "text", "dd/MM/yyyy"),
        MappingKey(.column, "decimals", "integer", "2"),
        MappingKey(.column, "locale", "plain | fr | de | en | fec", "fr"),
        MappingKey(.column, "enum", "map", "{paid: payée}"),
        MappingKey(.column, "required", "true | false", "true"),
        MappingKey(.column, "each", "text", "lines"),
        MappingKey(.column, "fields", "map", "{cbc:ID: line_no}"),
    ]

    /// The words allowed in a context.
    static func names(in context: KeyContext) -> [String] {
        all.filter { $0.context == context }.map(\.name)
    }
}
