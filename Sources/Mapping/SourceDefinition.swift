// SPDX-License-Identifier: Apache-2.0
// What a mapping says about the files it reads.

internal import Tabular
internal import XML

/// Where records come from.
enum SourceDefinition: Sendable {
    case xml(XMLSource)
    case table(TableSource)
}

/// An XML file, by itself or inside something; or records that are structured already, as JSON.
struct XMLSource: Sendable {
    /// What the paths lead through.
    enum Form: Sendable, Hashable {
        case xml
        /// JSON objects, one a line or in an array; of Singer's messages, the records of one stream.
        case records(stream: String?)
    }

    var form = Form.xml
    /// Elements that are a record each.
    var records: [XMLName]
    var skip: [PathExpression] = []
    var limits = XMLLimits()
    /// Whether the file may also be a PDF with the XML attached.
    var isInPDF = false
}

/// A text file of rows.
struct TableSource: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        /// Fields between delimiters.
        case csv
        /// Fields at fixed places of a line.
        case fixed
        /// A tag line and a line for each value.
        case tagged
    }

    /// How a column's name is compared.
    enum ColumnMatch: String, Sendable, CaseIterable {
        case byName = "by-name"
        case byNameIgnoringCase = "by-name-ci"
        case byPosition = "by-position"
    }

    /// Where the rows of one key stand.
    enum RowOrder: String, Sendable, CaseIterable {
        /// One behind the other.
        case adjacent
        /// Anywhere in the file.
        case staged
    }

    /// What a row with another number of fields is.
    enum Ragged: String, Sendable, CaseIterable {
        case error
        /// Missing fields at the end are empty.
        case pad
    }

    var kind = Kind.csv
    var encodings: [TextEncoding] = [.utf8BOM, .utf8]
    var delimiters: [UInt8] = [UInt8(ascii: ",")]
    var quote: UInt8? = UInt8(ascii: "\"")
    /// Lines in front of the rows; the first names the columns.
    var headerLines = 1
    var columns = ColumnMatch.byName
    var ragged = Ragged.error
    /// Whether empty fields behind the header's last column are passed over.
    var ignoresTrailingEmpty = false
    /// The column that delimiters belong to which are too many.
    var overflow: String?
    /// Other spellings of a column's name.
    var aliases: [String: [String]] = [:]
    var locale = NumberLocale.plain
    /// Bytes of a line of fixed width that may end without a line end.
    var length: Int?
    /// How rows belong together; nil = each row is a record.
    var grouping: RowGrouping?
}

/// How several rows make one record.
enum RowGrouping: Sendable {
    /// A row's kind is told by the text at one place.
    case byKind(Locator, RowKinds)
    /// Rows with the same texts in these columns: adjacent ones, or all of the file (staged).
    case byKey([Locator], blankContinues: Bool, isStaged: Bool)
    /// A row of the file and the rows of a second one with the same texts in the same columns.
    case byDetail(DetailSource)
}

/// A second file with the child rows of the first one's records.
struct DetailSource: Sendable {
    /// Its name, with `{…}` for the parts of the first one's.
    var file: String
    /// The columns, of both files, that tell which record a row belongs to.
    var key: [String]
}

/// What the kinds of rows are.
struct RowKinds: Sendable {
    /// Texts that begin a record.
    var header: [String] = []
    /// Texts of child rows, and the collection they belong to.
    var rows: [String: Int] = [:]
    /// Texts of further rows that belong to the record, for fields that name them.
    var own: [String] = []
    /// Texts of rows that are passed over; `*` for all that are not named.
    var ignored: [String] = []
}
