class MockPaymentService implements PaymentService {}
class FakeService {}
