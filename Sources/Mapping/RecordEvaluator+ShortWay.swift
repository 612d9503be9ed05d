// SPDX-License-Identifier: Apache-2.0
// Fills a record's plain fields the short way, which nearly all fields of nearly all files take.

internal import Model

extension RecordEvaluator {
    /// Fills all fields that the short way leads to; ``Memory/pending`` then has the others, in their order. They
    /// may use the former, which use no other field.
    func fillDirectly(
        _ rules: Range<Int>, _ source: inout some RecordSource, _ memory: inout Memory, _ row: RowPlace,
        _ bytes: [UInt8],
        _ cells: inout [Cell], first: Int
    ) {
        memory.pending.removeAll(keepingCapacity: true)
        let all = program.direct
        let direct = all.span
        var cells = cells.mutableSpan
        for index in rules {
            if let cell = directCell(direct, index, &source, row, bytes.span, memory) {
                cells[first + Int(direct[index].slot)] = cell
            } else {
                memory.pending.append(Int32(index))
            }
        }
    }

    @inline(__always)
    private func directCell(
        _ direct: Span<DirectField>, _ index: Int, _ source: inout some RecordSource, _ row: RowPlace,
        _ bytes: Span<UInt8>, _ memory: borrowing Memory
    ) -> Cell? {
        let shape = direct[index].shape
        if shape == .indirect || shape == .conditional { return nil }
        let found =
            direct[index].placeCount == 0
            ? source.find(direct[index].place, row) : firstText(direct[index], &source, row, bytes)
        switch found {
        case .absent: return direct[index].mayBeEmpty ? program.emptyCells[index] : nil
        case .elsewhere: return nil
        case .text(let text):
            guard text.count > 0 else { return direct[index].mayBeEmpty ? program.emptyCells[index] : nil }
            guard shape == .choice else { return direct.cell(index, text, bytes, program) }
            guard let key = ChoiceMemory.Key(bytes.extracting(text.offsets)) else { return nil }
            return memory.choices[Int(direct[index].memory)].cell(key)
        }
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
            let key = ChoiceMemory.Key(item.record.bytes.span.extracting(text.offsets))
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
