// SPDX-License-Identifier: Apache-2.0
// Check digits of French companies and European VAT numbers.

import Model
import Testing

@Suite struct IdentifierTests {
    @Test func `a SIREN has nine digits and a Luhn check`() {
        #expect(CompanyIdentifier.isSIREN("404833048"))
        #expect(!CompanyIdentifier.isSIREN("404833047"))
        #expect(!CompanyIdentifier.isSIREN("40483304"))
        #expect(!CompanyIdentifier.isSIREN("000000000"))
        #expect(!CompanyIdentifier.isSIREN("404 833 048"))
    }

    @Test func `a SIRET needs its SIREN and its own check`() {
        #expect(CompanyIdentifier.isSIRET("73282932000074"))
        #expect(!CompanyIdentifier.isSIRET("73282932000079"))
    }

    @Test func `establishments of La Poste have a digit sum divisible by five`() {
        #expect(CompanyIdentifier.isSIRET("35600000000048"))
        #expect(CompanyIdentifier.isSIRET("35600000049837"))
        #expect(!CompanyIdentifier.isSIRET("35600000049838"))
    }

    @Test(arguments: [
        "FR46443121975", "FR40303265045", "FR23334175221", "FRK7399859412", "FR4Z123456782", "BE0000000196",
        "DE111111125", "LU15027442", "IT00743110157",
    ])
    func `valid VAT numbers pass`(number: String) {
        #expect(VATNumber.isValid(number))
    }

    @Test(arguments: [
        "FR84323140391", "FRIO334175221", "BE0000000197", "DE111111126", "LU15027443", "IT00743110158",
        "XX123",
        "", "FR", "SE123456789001",
    ])
    func `others do not`(number: String) {
        #expect(!VATNumber.isValid(number))
    }

    @Test func `a French number holds a SIREN unless it is Monaco's`() {
        #expect(VATNumber.siren(of: "FR46443121975") == "443121975")
        #expect(VATNumber.siren(of: "FR53000004605") == nil)
        #expect(VATNumber.siren(of: "DE111111125") == nil)
    }
}
