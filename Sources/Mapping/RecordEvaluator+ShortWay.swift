// SPDX-License-Identifier: Apache-2.0
// Fills a record's plain fields the short way, which nearly all fields of nearly all files take.

internal import Bytes
internal import Model

extension RecordEvaluator {
    /// Fills all fields that the short way leads to; ``Memory/pending`` then has the others, in their order. They
    /// may use the former, which use no other field.
    ///
    /// All of it becomes one loop, which writes each cell where it stays: handing cells from function to function cost
    /// more than making them.
    func fillDirectly(
        _ rules: Range<Int>, _ source: inout some RecordSource, _ memory: inout Memory, _ row: RowPlace,
        _ bytes: [UInt8], _ cells: inout [Cell], first: Int
    ) {
        memory.pendingCount = 0
        // Held by name, since a span of a property of the program would have to leave its scope.
        let (allFields, allFormats) = (program.direct, program.formats)
        let (fields, formats, bytes) = (allFields.span, allFormats.span, bytes.span)
        var cells = cells.mutableSpan
        for index in rules {
            let slot = first &+ Int(fields[index].slot)
            let isDone =
                switch find(fields, index, &source, row, bytes) {
                case .text(let text) where text.count > 0:
                    fill(&cells, slot, fields, index, text, bytes, formats, memory)
                case .text, .absent: fillEmpty(&cells, slot, fields, index)
                case .elsewhere: false
                }
            if !isDone {
                memory.pending[memory.pendingCount] = Int32(truncatingIfNeeded: index)
                memory.pendingCount &+= 1
            }
        }
    }

    @inline(__always)
    private func find(
        _ fields: Span<DirectField>, _ index: Int, _ source: inout some RecordSource, _ row: RowPlace,
        _ bytes: Span<UInt8>
    ) -> FoundText {
        if !fields[index].shape.isDirect { return .elsewhere }
        if fields[index].placeCount == 0 { return source.find(fields[index].place, row) }
        return firstText(fields[index], &source, row, bytes)
    }

    /// Sets a cell to what a text means; false where only the long way knows.
    @inline(__always)
    private func fill(
        _ cells: inout MutableSpan<Cell>, _ slot: Int, _ fields: Span<DirectField>, _ index: Int,
        _ found: TextRange, _ bytes: Span<UInt8>, _ formats: Span<DateLayout>, _ memory: borrowing Memory
    ) -> Bool {
        if fields[index].shape == .choice {
            guard let key = ChoiceMemory.Key(found, bytes),
                let cell = memory.choices[Int(fields[index].memory)].cell(key)
            else { return false }
            cells[slot] = cell
            return true
        }
        guard let text = bytes.tidied(found), text.count <= fields[index].take else { return false }
        switch fields[index].shape {
        case .text, .digits:
            guard fields[index].isTidy(text, bytes) else { return false }
            cells[slot] = .text(text)
        case .decimal:
            guard let decimal = fields[index].decimal(text, bytes) else { return false }
            cells[slot] = .decimal(decimal)
        case .date:
            guard let date = fields[index].date(bytes.extracting(text.offsets), formats) else { return false }
            cells[slot] = .date(date)
        case .currency:
            guard text.count == 3, bytes.areCapitals(text) else { return false }
            cells[slot] = .text(text)
        case .choice, .conditional, .indirect: return false
        }
        return true
    }

    /// Sets a cell to what nothing means; false where only the long way knows.
    @inline(__always)
    private func fillEmpty(
        _ cells: inout MutableSpan<Cell>, _ slot: Int, _ fields: Span<DirectField>, _ index: Int
    ) -> Bool {
        guard fields[index].mayBeEmpty else { return false }
        cells[slot] = program.emptyCells[index]
        return true
    }

    /// The text of a field that has several places.
    private func firstText(
        _ direct: DirectField, _ source: inout some RecordSource, _ row: RowPlace, _ bytes: Span<UInt8>
    ) -> FoundText {
        var found = FoundText.absent
        for index in Int(direct.place)..<Int(direct.place) + Int(direct.placeCount) {
            let place = program.directPlaces[index]
            guard place >= 0 else {
                if case .text = found { return found }
                return .elsewhere
            }
            // A later alternative than the one that has the text.
            if direct.takesFirst, case .text = found, place & DirectField.sameAlternative == 0 {
                return found
            }
            switch source.find(place & ~DirectField.sameAlternative, row) {
            case .absent: continue
            case .elsewhere: return .elsewhere
            case .text(let text):
                // Where one alternative has two texts, their order in the file decides.
                guard case .absent = found else { return .elsewhere }
                if direct.takesFirst, text.count == 0 || isOtherIdentifier(text, direct, bytes) {
                    guard !isShared(index, direct) else { return .elsewhere }
                    continue
                }
                found = .text(text)
            }
        }
        return found
    }

    /// Whether an alternative has other places than this one.
    private func isShared(_ index: Int, _ direct: DirectField) -> Bool {
        let places = program.directPlaces
        let next = index + 1
        return places[index] & DirectField.sameAlternative != 0
            || next < Int(direct.place) + Int(direct.placeCount) && places[next] >= 0
                && places[next] & DirectField.sameAlternative != 0
    }

    /// Whether a text is digits as they stand, but not as many as wanted, so that the next alternative is asked.
    private func isOtherIdentifier(_ text: TextRange, _ direct: DirectField, _ bytes: Span<UInt8>) -> Bool {
        direct.shape == .digits && text.count != direct.count && text.count <= direct.take
            && bytes.extracting(text.offsets).areDigits
    }

    /// The value of a rule that the short way did not lead to; that of an enumeration is remembered.
    func cell(
        _ index: Int, _ source: inout some RecordSource, _ row: RowPlace, _ item: inout MappedItem,
        _ memory: inout Memory
    ) -> Cell {
        let direct = program.direct[index]
        if direct.shape == .conditional { return conditionalCell(index, &source, row, &item.record) }
        guard direct.memory >= 0, case .text(let text) = source.find(direct.place, row),
            text.count > 0, let key = ChoiceMemory.Key(text, item.record.bytes.span)
        else { return cell(program.operations[index], &source, row, &item) }
        let findings = item.findings.count
        let cell = cell(program.operations[index], &source, row, &item)
        if item.findings.count == findings { memory.choices[Int(direct.memory)].remember(cell, for: key) }
        return cell
    }

    private func conditionalCell(
        _ index: Int, _ source: inout some RecordSource, _ row: RowPlace, _ record: inout Record
    ) -> Cell {
        let holds = truth(of: program.operations[index].when, &source, row, &record) == true
        guard holds, case .constant(let text) = program.operations[index].origin else {
            return program.operations[index].otherwiseText.map { .text($0) } ?? .none
        }
        return .text(text)
    }
}
