// SPDX-License-Identifier: Apache-2.0
// A mapping's rules in the form that runs: flat arrays of plain values, so that a record costs no reference count.

internal import Diagnostics
internal import Model

/// One rule, compiled.
struct FieldOperation: BitwiseCopyable {
    enum Origin: BitwiseCopyable {
        case place(Int32)
        /// Several places, in ``RecordProgram/links``.
        case places(start: Int32, count: Int32)
        case field(Int32)
        case rowField(Int32)
        case constant(TextRange)
        case root
        /// Alternatives, in ``RecordProgram/operations``.
        case first(start: Int32, count: Int32)
    }

    var origin: Origin
    var slot: Int32 = -1
    /// Position in ``RecordProgram/names``.
    var name: Int32 = -1
    var when: Int32 = -1
    var otherwiseText: TextRange?
    var defaultText: TextRange?
    var take: Int32 = -1
    var maxLength: Int32 = .max
    var regex: Int16 = -1
    var keep: Int16 = -1
    var choices: Int16 = -1
    var firstFormat: Int16 = 0
    var formatCount: Int16 = 0
    var decimals: Int8 = -1
    /// Place of the number of decimals.
    var decimalsPlace: Int32 = -1
    /// Condition for the other sign.
    var negative: Int32 = -1
    var cleaning: CleaningSet = []
    var type: ValueType = .string
    var locale: NumberLocale = .plain
    var check: ValueCheck?
    var empty: EmptyPolicy = .standard
    var isRequired = false

    /// Whether the text only needs typing.
    var isPlainValue: Bool { decimalsPlace < 0 && negative < 0 }

    /// Whether it is one of two constants, as they stand.
    var isConditionalConstant: Bool {
        guard case .constant = origin, type == .string, check == nil, cleaning.isEmpty else { return false }
        return when >= 0 && regex < 0 && keep < 0 && choices < 0 && take < 0 && isPlainValue
    }

    /// Whether the text only needs cleaning.
    var isPlain: Bool { regex < 0 && keep < 0 && choices < 0 && take < 0 && when < 0 }
}

/// One node of an expression, compiled; operands are positions in ``RecordProgram/nodes``.
enum ExpressionNode: BitwiseCopyable {
    case constant(Cell)
    case field(Int32)
    case rowField(Int32)
    case place(Int32)
    case total(Int32)
    case not(Int32)
    case negate(Int32)
    case binary(Expression.Operator, Int32, Int32)
    /// Operands in ``RecordProgram/links``; the first is what is looked for.
    case list(start: Int32, count: Int32)
    case call(Expression.Function, start: Int32, count: Int32)
    case countRows(Int32)
    case aggregate(Expression.Aggregate, collection: Int32, slot: Int32)
}

/// The texts of an enumeration and what each becomes.
struct ChoiceTable: Sendable {
    var keys: [TextRange] = []
    var values: [TextRange] = []
    var otherwise: TextRange?
    /// Whether another text is a fault; otherwise it becomes ``otherwise`` or nothing.
    var isError = false
    /// The known texts, for the fault's message.
    var known = ""
}

/// A check, compiled; what it says is in ``RecordProgram/checkRules``, at the same place.
struct CheckOperation: BitwiseCopyable {
    let when: Int32
    let expect: Int32
    /// The collection each of whose rows is checked; −1 = the record.
    let collection: Int32
    /// The first of the message's parts in ``RecordProgram/links``: the expression's node, or −1 for words.
    let firstPart: Int32
}

/// The child rows of one collection.
struct CollectionOperation: BitwiseCopyable {
    let collection: Int32
    let start: Int32
    let end: Int32
}

/// All rules of a mapping, compiled. A class of constants: one reference, whoever works with it.
final class RecordProgram: Sendable {
    /// The record's own rules are the first ``fieldCount``; those of rows and alternatives follow.
    let operations: [FieldOperation]
    let fieldCount: Int
    /// Whether anything takes a short way.
    let takesShortWay: Bool
    /// The short way of each of ``operations``.
    let direct: [DirectField]
    let emptyCells: [Cell]
    let directPlaces: [Int32]
    /// Number of enumerations that have one.
    let memoryCount: Int
    let collections: [CollectionOperation]
    let nodes: [ExpressionNode]
    let links: [Int32]
    let names: [String]
    let patterns: [Pattern]
    let choices: [ChoiceTable]
    let formats: [DateLayout]
    let formatNames: [String]
    /// Fields of the record without which it is none of its entity, whatever the mapping says.
    let requiredSlots: [Int]
    let checks: [CheckOperation]
    let checkRules: [CheckRule]
    let only: Int32
    /// Texts of constants; every record's bytes begin with them.
    let constants: [UInt8]
    /// The places that the source is asked for, by number.
    let places: [Locator]
    /// The collection whose rows each place is read in; −1 = the record.
    let collectionOfPlace: [Int]
    /// Places that tell how rows belong together, and those that are summed.
    let groupPlaces: [Int32]
    /// The places that tell it of rows of a second file.
    let detailPlaces: [Int32]
    let totalPlaces: [Int32]

    private init(_ compiler: ProgramCompiler, takesShortWay: Bool = true) {
        self.takesShortWay = takesShortWay
        operations = compiler.operations
        fieldCount = compiler.fieldCount
        let short = DirectFieldCompiler(compiler, takesShortWay: takesShortWay)
        direct = short.fields
        emptyCells = short.emptyCells
        directPlaces = short.places
        memoryCount = short.memories
        collections = compiler.collections
        nodes = compiler.nodes
        links = compiler.links
        names = compiler.names
        patterns = compiler.patterns
        choices = compiler.choices
        formats = compiler.formats
        formatNames = compiler.formatNames
        requiredSlots = compiler.requiredSlots
        checks = compiler.checks
        checkRules = compiler.checkRules
        only = compiler.only
        constants = compiler.constants
        places = compiler.places.map(\.locator)
        collectionOfPlace = compiler.places.map(\.collection)
        groupPlaces = compiler.groupPlaces
        detailPlaces = compiler.detailPlaces
        totalPlaces = compiler.totalPlaces
    }

    /// Compiles a mapping for one file.
    ///
    /// - Parameters:
    ///   - fileVariables: parts of the file's name, by the names that the mapping's `filename` gives them.
    ///   - takesShortWay: whether fields that have a ``DirectField`` take it.
    convenience init(
        _ definition: MappingDefinition, fileVariables: [String: String], takesShortWay: Bool = true
    ) {
        self.init(
            ProgramCompiler(definition, fileVariables: fileVariables), takesShortWay: takesShortWay)
    }

    /// Compiles a file's checks, whose totals are given when they are run.
    convenience init(fileChecks: [CheckRule]) {
        self.init(ProgramCompiler(fileChecks: fileChecks))
    }

    /// Compiles expressions over a record; the second result has their nodes.
    static func expressions(_ expressions: [Expression]) -> (program: RecordProgram, nodes: [Int32]) {
        let compiler = ProgramCompiler(expressions: expressions)
        return (RecordProgram(compiler), compiler.roots)
    }
}
