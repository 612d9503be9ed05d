// SPDX-License-Identifier: Apache-2.0
// Exact decimals: reading, arithmetic, the official rounding.

import Model
import Testing

@Suite struct DecimalTests {
    private func decimal(_ text: String) throws -> Decimal { try #require(Decimal(text)) }

    @Test(arguments: ["0", "-0.50", "336.9", "1800.00", "99999999999999999999999999999999999999", "0.007"])
    func `a number prints as it was written`(text: String) throws {
        #expect(try decimal(text).description == text)
    }

    @Test(arguments: [
        "", "-", ".", "1,5", "1 000", "1e3", "--1", "1.2.3", "100000000000000000000000000000000000000",
    ])
    func `anything else is no number`(text: String) {
        #expect(Decimal(text) == nil)
    }

    @Test(arguments: [
        ("0.005", "0.01"), ("-0.005", "0.00"), ("-0.006", "-0.01"), ("2.345", "2.35"), ("-2.345", "-2.34"),
        ("1.004999", "1.00"), ("7", "7.00"),
    ])
    func `halves are rounded towards plus infinity as XPath does`(text: String, expected: String) throws {
        #expect(try decimal(text).rounded(to: 2).description == expected)
    }

    @Test func `extreme values neither trap nor change when they are rounded`() throws {
        let wide = try decimal("99999999999999999999999999999999999999")
        #expect(wide.rounded(to: 2) == wide)
        let fine = try decimal("0.99999999999999999999999999999999999999")
        #expect(fine.rounded(to: 0).description == "1")
        #expect(fine.rounded(to: 2).description == "1.00")
        #expect(try decimal("-0.50").rounded(to: 0).description == "0")
        #expect(Decimal(1).divided(by: fine) == nil)
    }

    @Test func `equal values are equal whatever their scale`() throws {
        #expect(try decimal("1.50") == decimal("1.5"))
        #expect(try Set([decimal("1.50"), decimal("1.5"), decimal("15")]).count == 2)
        #expect(try decimal("-1.51") < decimal("-1.5"))
        #expect(
            try decimal("0.00000000000000000000000000000000000001")
                < decimal("99999999999999999999999999999999999999"))
    }

    @Test func `arithmetic is exact or says that it does not fit`() throws {
        #expect(try decimal("0.1").adding(decimal("0.2")) == decimal("0.3"))
        #expect(
            try decimal("19.99").multiplied(by: decimal("20"))?.divided(by: Decimal(100)) == decimal("3.998"))
        #expect(try decimal("1").divided(by: .zero) == nil)
        let huge = try decimal("99999999999999999999999999999999999999")
        #expect(huge.adding(huge) == nil)
        #expect(huge.multiplied(by: huge) == nil)
    }
}
