class PayMethod {}

class CardMethod extends PayMethod {}
