// SPDX-License-Identifier: Apache-2.0
// From the text of a source to a typed value: cleaning, choosing, parsing, all on bytes.

internal import Diagnostics
internal import Model

extension RecordEvaluator {
    /// Cleans a text and applies `take`, `regex`, `keep` and `enum`; nil where nothing is left.
    @inline(__always)
    func finish(
        _ text: TextRange, _ operation: FieldOperation, _ record: inout Record
    ) throws(RecordFault) -> TextRange? {
        var text = text.trimmed(in: record.bytes.span)
        if !operation.cleaning.isEmpty { text = operation.cleaning.apply(to: text, of: &record) }
        return operation.isPlain ? text : try choose(text, operation, &record)
    }

    /// Applies `take`, `regex`, `keep` and `enum`.
    private func choose(
        _ text: TextRange, _ operation: FieldOperation, _ record: inout Record
    ) throws(RecordFault) -> TextRange? {
        var text = text
        if operation.take >= 0, text.count > operation.take {
            text = text.prefix(characters: Int(operation.take), in: record.bytes)
        }
        if operation.regex >= 0 {
            let pattern = program.patterns[Int(operation.regex)]
            guard let match = matcher.firstMatch(of: pattern, record.bytes, text) else { return nil }
            text = match
        }
        if operation.keep >= 0,
            !matcher.match(program.patterns[Int(operation.keep)], record.bytes, text)
        {
            return nil
        }
        guard operation.choices >= 0, text.count > 0 else { return text }
        return try choose(text, Int(operation.choices), record)
    }

    private func choose(
        _ text: TextRange, _ number: Int, _ record: borrowing Record
    ) throws(RecordFault) -> TextRange? {
        for index in program.choices[number].keys.indices
        where record.bytes.span.areEqual(program.choices[number].keys[index], text) {
            return program.choices[number].values[index]
        }
        let table = program.choices[number]
        guard table.isError else { return table.otherwise }
        throw RecordFault(
            MappingError(.notInList, ["known": table.known], at: Place(value: record.string(text))).diagnostic
        )
    }

    /// The text as the field's type.
    ///
    /// - Throws: `FIELD-NOT-…` or `FIELD-TOO-LONG`, with the text as the place's value.
    func typed(
        _ text: TextRange, _ operation: FieldOperation, _ record: inout Record
    ) throws(RecordFault) -> Cell {
        switch operation.type {
        case .string:
            if text.count > operation.maxLength { try checkLength(text, operation, record) }
            return .text(text)
        case .decimal:
            guard
                let decimal = operation.locale.decimal(
                    record.bytes.span.extracting(text.offsets), decimals: operation.decimals)
            else {
                throw fault(.notDecimal, text, record, ["form": operation.locale.form])
            }
            return .decimal(decimal)
        case .int:
            guard let decimal = NumberLocale.plain.decimal(record.bytes.span.extracting(text.offsets)),
                decimal.scale == 0,
                let integer = Int(exactly: decimal.unscaled)
            else { throw fault(.notInteger, text, record) }
            return .integer(integer)
        case .date:
            for index in Int(operation.firstFormat)..<Int(operation.firstFormat + operation.formatCount) {
                let bytes = record.bytes.span
                if let date = program.formats[index].date(bytes.extracting(text.offsets)) {
                    return .date(date)
                }
            }
            let first = Int(operation.firstFormat)
            let formats = program.formatNames[first..<first + Int(operation.formatCount)]
            throw fault(.notDate, text, record, ["formats": formats.joined(separator: ", ")])
        case .datetime:
            guard let instant = Instant.read(record.string(text)) else {
                throw fault(.notDateTime, text, record)
            }
            return .timestamp(instant)
        case .bool:
            let word = record.string(text)
            guard word == "true" || word == "false" else { throw fault(.notBoolean, text, record) }
            return .boolean(word == "true")
        case .currency:
            guard text.count == 3, record.bytes[text.offsets].allSatisfy({ (65...90).contains($0) }) else {
                throw fault(.notCurrency, text, record)
            }
            return .text(text)
        }
    }

    /// Bytes are counted first, as there are never fewer characters.
    private func checkLength(
        _ text: TextRange, _ operation: FieldOperation, _ record: Record
    ) throws(RecordFault) {
        let count = record.string(text).count
        guard count > operation.maxLength else { return }
        throw fault(.tooLong, text, record, ["max": String(operation.maxLength), "count": String(count)])
    }

    private func fault(
        _ code: MappingError.Code, _ text: TextRange, _ record: Record, _ facts: [String: String] = [:]
    ) -> RecordFault {
        RecordFault(MappingError(code, facts, at: Place(value: record.string(text))).diagnostic)
    }

    /// The warning of a check that a text failed.
    func finding(_ check: ValueCheck, _ text: TextRange, _ record: Record) -> Diagnostic {
        var finding = MappingError(check.code, at: Place(value: record.string(text))).diagnostic
        finding.severity = .warning
        return finding
    }
}

extension ValueCheck {
    var code: MappingError.Code {
        switch self {
        case .siren: .invalidSIREN
        case .siret: .invalidSIRET
        case .vat: .invalidVAT
        case .iban: .invalidIBAN
        case .luhn: .invalidLuhn
        }
    }

    /// Whether a text passes the check.
    func holds(_ text: Span<UInt8>) -> Bool {
        switch self {
        case .siren: CompanyIdentifier.isSIREN(ascii: text)
        case .siret: CompanyIdentifier.isSIRET(ascii: text)
        case .vat: VATNumber.isValid(ascii: text)
        case .iban: IBAN.isValid(ascii: text)
        case .luhn: CompanyIdentifier.passesLuhn(ascii: text)
        }
    }
}
